//! The day is the workspace's: parts of dates, filters, windows and rule dates, over DST and month ends.
