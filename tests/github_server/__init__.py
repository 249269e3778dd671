"""A GitHub on loopback, for tests. README.md says how to start it."""
