"""The command line: `./rapport`. Commands parse and print; the work is in `deploy.local` and `rapport`."""
