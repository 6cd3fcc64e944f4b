"""One module a kind of log, behind one small interface (`source.TraceSource`)."""
