"""Content Credentials (C2PA): signed notes on how a picture was made, read in a child process."""
