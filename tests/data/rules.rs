//! Rules: measure groups, blanks, null scores, and two rules on one measure.
