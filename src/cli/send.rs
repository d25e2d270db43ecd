//! `hookwarden send`: does this endpoint take what its sender sends?
