//! The only module that names Pingora. (seam: to be written)
