# Generations on this balancer: record_generations ROOT CLUSTER (on standard input, for each document, a line with its
# name, its length and its SHA-256, then its bytes), fetch_generations ROOT CLUSTER.

generation_folder() {
    setup "$1" "$2"
    GENERATIONS=$STATE/generations
}

# What was written is read again; the first that is not as it was sent ends it, with 1 and a sentence.
record_generations() {
    generation_folder "$1" "$2"
    mkdir -p "$GENERATIONS" && chmod 700 "$STATE" "$GENERATIONS" || return
    while read -r name length hash; do
        store_generation "$name" "$length" "$hash" || { rm -f "$GENERATIONS/.$name"; return 1; }
    done
    sync "$GENERATIONS" 2>/dev/null || sync
}

store_generation() { # NAME LENGTH SHA256
    head -c "$2" >"$GENERATIONS/.$1" && { sync "$GENERATIONS/.$1" 2>/dev/null || sync; } || return
    if [ "$(sha256sum <"$GENERATIONS/.$1" | cut -d ' ' -f 1)" != "$3" ]; then
        echo "generation $1 did not arrive whole" >&2
        return 1
    fi
    mv "$GENERATIONS/.$1" "$GENERATIONS/$1"
}

fetch_generations() {
    generation_folder "$1" "$2"
    for file in "$GENERATIONS"/*.json; do
        [ ! -f "$file" ] || item "generation:${file##*/}" cat "$file"
    done
    frame end 0 ''
}
