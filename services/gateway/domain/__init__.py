"""What the edge knows by itself: keys and scopes, and how Segment's calls map to events."""
