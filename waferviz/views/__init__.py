"""Views: pictures of a trace or an audit.  They know dims, units and words, not algorithms."""
