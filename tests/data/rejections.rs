//! Rejected rows can be found, read and acted on; nothing vanishes from the sum.
