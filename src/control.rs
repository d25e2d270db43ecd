//! What an operator sees and does: metrics, health, spool verbs. (seam: to be written)
