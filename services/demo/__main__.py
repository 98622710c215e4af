"""`python -m services.demo`."""

from rapport.ops.lifecycle import run
from services.demo.bootstrap import parts
from services.demo.settings import DemoSettings

if __name__ == "__main__":
    run("demo", DemoSettings, parts)
