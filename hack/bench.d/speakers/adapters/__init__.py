"""One module per speaker. Each has FEATURES, what the bench may ask of it, and `setup(s) -> (files, commands)`: files
are written into s.dir, commands are started in order, in the speaker's namespace, and stay in the foreground. `s` has
dir, ip, port, asn, rid, peers (each .ip .asn .ibgp .client .hold .bfd), fib (install into the main table), gr (graceful
restart), variant and restarted. The speaker accepts everything and passes every route to every peer that BGP allows.
SETTLE, where there is one, is how long the speaker holds back after so many sessions are up."""
NAMES = ["bird", "frr", "gobgp", "openbgpd", "apus"]
