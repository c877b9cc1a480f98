//! One writer for each field, measure, score, usage row, segment: the older one stays live.
