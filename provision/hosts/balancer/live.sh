# Asks the running HAProxy for health, sessions and tables: live_all ROOT CLUSTER TABLE...

live_all() {
    setup "$1" "$2"
    shift 2
    know_unit
    item recorded test -d "$STATE/generations"
    item info ask_haproxy 'show info'
    item stat ask_haproxy 'show stat'
    item sessions ask_haproxy 'show sess'
    for table; do item "table:$table" ask_haproxy "show table $table"; done
    item units systemctl show -p Id -p MainPID haproxy.service
    item processes ps -e -o pid=,ppid=,etimes=,comm=
    frame end 0 ''
}
