"""`python -m deploy.cli`, which is what `./rapport` runs."""

from deploy.cli.root import main

main()
