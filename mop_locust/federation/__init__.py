"""What a load test must know of federation, pure: who owns a tool, arguments to call it with, where an answer came from."""
