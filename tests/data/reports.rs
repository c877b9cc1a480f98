//! Who and what a Pendo report counts: anonymous visitors, apps, features, segments.
