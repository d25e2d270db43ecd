//! Takes events from the spool to their destinations. (seam: to be written)
