# Leaves out of a hash-locked requirements file the packages whose names match `drop`, hashes and comments included.
/^[a-z0-9]/ { name = $1; sub(/[=\[;].*/, "", name); keep = (name !~ drop) }
/^#/ || keep
