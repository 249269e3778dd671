"""The only room that knows GitHub: events, the REST API, comments, checks, the runner's files."""
