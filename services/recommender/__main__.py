"""`python -m services.recommender`."""

from rapport.ops.lifecycle import run
from services.recommender.bootstrap import parts
from services.recommender.settings import RecommenderSettings

if __name__ == "__main__":
    run("recommender", RecommenderSettings, parts)
