"""`python -m services.content`."""

from services.content.bootstrap import main

main()
