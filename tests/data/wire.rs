//! What goes over the wire, as the vendors' own schemas ask for it.
