# Generations on this balancer: record_generation ROOT CLUSTER NAME LENGTH SHA256 (the document follows on standard
# input), fetch_generations ROOT CLUSTER.

generation_folder() {
    setup "$1" "$2"
    GENERATIONS=$STATE/generations
}

record_generation() {
    generation_folder "$1" "$2"
    item recorded store_generation "$3" "$4" "$5" 4<&0
    [ "$item_status" -ne 0 ] || item "generation:$3" cat "$GENERATIONS/$3"
    frame end 0 ''
}

store_generation() { # NAME LENGTH SHA256
    mkdir -p "$GENERATIONS" && chmod 700 "$STATE" "$GENERATIONS" || return
    head -c "$2" <&4 >"$GENERATIONS/.$1" || return
    [ "$(sha256sum <"$GENERATIONS/.$1" | cut -d ' ' -f 1)" = "$3" ] || { echo "it did not arrive whole"; return 1; }
    { sync "$GENERATIONS/.$1" 2>/dev/null || sync; } && mv "$GENERATIONS/.$1" "$GENERATIONS/$1"
}

fetch_generations() {
    generation_folder "$1" "$2"
    for file in "$GENERATIONS"/*.json; do
        [ ! -f "$file" ] || item "generation:${file##*/}" cat "$file"
    done
    frame end 0 ''
}
