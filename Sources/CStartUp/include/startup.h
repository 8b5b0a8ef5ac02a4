// What a process that lives for a millisecond leaves out of the Swift runtime's start; startup.c says what and why.
// Nothing is called from Swift: linking the target is all there is to it.
