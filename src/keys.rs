//! Where keys come from: environment variables and files. (seam: to be written)
