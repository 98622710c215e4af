"""`python -m services.gateway`."""

from rapport.ops.lifecycle import run
from services.gateway.bootstrap import parts
from services.gateway.settings import GatewaySettings

if __name__ == "__main__":
    run("gateway", GatewaySettings, parts)
