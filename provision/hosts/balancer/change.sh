# Does the steps that come on standard input, in their order, and reads the machine again.
# change_all: the arguments of read_all. A step is a line of words with tabs between; `stage` is followed by the bytes
# of the file. The first step that fails ends the run: haproxy's and rsyslog's steps have put their files back by then.
# Every step looks before it acts, so that doing it a second time is harmless.

TAB=$(printf '\t')

change_all() {
    setup "$1" "$2"
    WORK=$STATE/work
    LOCK=$R/var/lib/provision/.changing
    REMOVED= INSTALLED=
    exec 3<&0
    trap '' HUP PIPE # what was received is carried out, also when whoever asked is gone: never half a step
    if prepared=$(prepare 2>&1); then
        do_steps
        rm -rf "$WORK"
        discard_staged
        rm -rf "$LOCK"
    else
        frame "failed:prepare $STATE" 1 "$prepared"
    fi
    read_all "$@"
}

# prepare: alone on this machine, and without what a run that was killed left lying about.
prepare() {
    mkdir -p "$STATE/originals" "$STATE/generations" && chmod 700 "$STATE" "$STATE/originals" "$STATE/generations" &&
        lock && rm -rf "$WORK" && mkdir "$WORK" || return
    for folder in haproxy haproxy/conf.d sysconfig rsyslog.d; do rm -f "$R/etc/$folder"/.provision-new-*; done
}

# lock: waits for another run at most a minute. The lock of one that was killed is taken over.
lock() {
    patience=120
    until mkdir "$LOCK" 2>/dev/null; do
        if held; then
            patience=$((patience - 1))
            [ "$patience" -gt 0 ] || { echo "another run is changing this machine (process $holder)"; return 1; }
            sleep 0.5
        else
            rm -rf "$LOCK" || return
        fi
    done
    echo "$$" >"$LOCK/holder"
}

# held: whether the run that made the lock is still at work; one that was just made has no name in it yet.
held() {
    holder=$(cat "$LOCK/holder" 2>/dev/null)
    [ -n "$holder" ] || { sleep 1; holder=$(cat "$LOCK/holder" 2>/dev/null); }
    [ -n "$holder" ] && [ "$holder" != "$$" ] && tr '\0' ' ' <"/proc/$holder/cmdline" 2>/dev/null | grep -q ' provision '
}

do_steps() {
    while IFS="$TAB" read -r step a b c d e <&3; do
        umask 022 # what the machine's own tools write must stay readable; our files' steps say 077
        "do_$step" "$a" "$b" "$c" "$d" "$e" >"$WORK/output" 2>&1 </dev/null
        status=$?
        output=$(tail -c 8192 "$WORK/output")
        if [ "$status" -ne 0 ]; then
            frame "failed:$step $a $b" "$status" "$output"
            return
        fi
        frame "done:$step $a $b" 0 "$output"
    done
}

discard_staged() {
    for path in $STAGED; do rm -f "$(beside "$path")"; done
}

flush() { sync "$1" 2>/dev/null || sync; }

hash_of() { sha256sum <"$1" | cut -d ' ' -f 1; }

# --- package, kernel, SELinux, address ------------------------------------------------------------------------------

do_package() { # NAME
    ! rpm -q "$1" || return 0
    "$(package_tool)" -y -q install "$1" || return
    rpm -q "$1" && INSTALLED=1
}

do_sysctl() { # NAME VALUE PERSISTENT ("-": not set at boot)
    conf=$R/etc/sysctl.d/60-provision-$CLUSTER.conf
    if [ "$3" = - ]; then
        rm -f "$conf"
    else
        mkdir -p "$R/etc/sysctl.d" && printf '# Managed by provision, cluster %s.\n%s = %s\n' "$CLUSTER" "$1" "$3" >"$conf.new" &&
            chmod 644 "$conf.new" && flush "$conf.new" && mv "$conf.new" "$conf"
    fi || return
    sysctl -q -w "$1=$2"
}

do_boolean() { # NAME CURRENT PERSISTENT (on, off)
    setsebool -P "$1" "$3" || return
    [ "$2" = "$3" ] || setsebool "$1" "$2" || return
    case $(getsebool "$1") in "$1 --> $2"*) ;; *) echo "setsebool said nothing, and $1 is not $2"; return 1 ;; esac
}

do_enforce() { # CURRENT PERSISTENT (enforcing, permissive, disabled)
    conf=$R/etc/selinux/config
    if ! grep -q "^SELINUX=$2\$" "$conf"; then # written in place: it keeps its label
        sed "s/^SELINUX=.*/SELINUX=$2/" "$conf" >"$WORK/selinux" && cat "$WORK/selinux" >"$conf" && flush "$conf" || return
    fi
    if [ "$1" = enforcing ]; then setenforce 1; else setenforce 0; fi
}

do_domain() { # NAME on|off
    has semanage || { echo "semanage is missing: install policycoreutils-python-utils (EL7: policycoreutils-python)"; return 1; }
    listed_now=$(semanage permissive -l) || return
    case $2:$(printf '%s\n' "$listed_now" | grep -c "^ *$1\$") in
        on:0) semanage permissive -a "$1" ;;
        off:[1-9]*) semanage permissive -d "$1" ;;
    esac
}

do_vip() { # add|remove ADDRESS/PREFIX DEVICE
    connection=$(nmcli -t -f DEVICE,NAME connection show --active | sed -n "s/^$3://p" | head -n 1 | plain_names)
    [ -n "$connection" ] || { echo "NetworkManager has no active connection on $3"; return 1; }
    sign=+
    [ "$1" = add ] || sign=-
    nmcli connection modify "$connection" "${sign}ipv4.addresses" "$2" && nmcli device reapply "$3"
}

# --- firewalld: now, then at boot; never --reload, which turns new connections away while it works -------------------

do_firewall() { # add|remove runtime|permanent ZONE NETWORK|- PORTS (commas between)
    set -- "$1" "$2" "$3" "$4" "$(printf '%s' "$5" | tr ',' ' ')"
    fw_verb=$1 fw_network=$4 fw_ports=$5
    if [ "$2" = permanent ]; then set -- --permanent "--zone=$3"; else set -- "--zone=$3"; fi
    for port in $fw_ports; do
        if [ "$fw_network" = - ]; then
            set -- "$@" "--$fw_verb-port=$port/tcp"
        else
            set -- "$@" "--$fw_verb-rich-rule=rule family=\"ipv4\" source address=\"$fw_network\" port port=\"$port\" protocol=\"tcp\" accept"
        fi
    done
    firewall-cmd "$@"
    fw_status=$?
    case $fw_status in 11 | 12) return 0 ;; esac # ALREADY_ENABLED, NOT_ENABLED: as wanted
    return "$fw_status"
}

# do_cut WHEN ZONE ENTRY PART REST|-: closes a part of an entry (commas between). firewalld from 0.9 on leaves the rest;
# before, an entry is a word that stays as it is: then the rest comes beside it, and it goes.
do_cut() {
    do_firewall remove "$1" "$2" - "$4" || return
    cut_where=
    [ "$1" = runtime ] || cut_where=--permanent
    cut_list=$(firewall-cmd $cut_where "--zone=$2" --list-ports) || return
    case " $cut_list " in *" $3/tcp "*) ;; *) return 0 ;; esac
    [ "$5" = - ] || do_firewall add "$1" "$2" - "$5" || return
    do_firewall remove "$1" "$2" - "$3"
}

# --- files: what is replaced is kept, what is new waits beside until it has been checked ------------------------------

# do_keep PATH ID SHA256: keeps a file under ID before it goes. SHA256 is what was read; "-": nothing was there.
do_keep() {
    umask 077
    if [ "$3" = - ]; then
        [ -e "$R$1" ] || return 0
        [ -z "$INSTALLED" ] || { keep_as "$1" "$(hash_of "$R$1")"; return; }
        echo "$1 appeared since it was read"
        return 1
    fi
    [ "$(hash_of "$R$1")" = "$3" ] || { echo "$1 changed since it was read"; return 1; }
    [ "$2" = - ] || keep_as "$1" "$2"
}

keep_as() { # PATH ID
    [ ! -f "$STATE/originals/$2" ] || return 0
    cat "$R$1" >"$STATE/originals/$2.new" && flush "$STATE/originals/$2.new" &&
        mv "$STATE/originals/$2.new" "$STATE/originals/$2" && flush "$STATE/originals"
}

do_stage() { # PATH MODE OWNER LENGTH SHA256
    umask 077
    make_folder "$1" || return
    new=$(beside "$1")
    head -c "$4" <&3 >"$new" || return
    [ "$(hash_of "$new")" = "$5" ] || { echo "the content of $1 did not arrive whole"; rm -f "$new"; return 1; }
    dress "$1" "$2" "$3"
}

do_restore() { # PATH MODE OWNER ID
    umask 077
    [ -f "$STATE/originals/$4" ] || { echo "no original is kept for $1 ($4)"; return 1; }
    make_folder "$1" && cat "$STATE/originals/$4" >"$(beside "$1")" && dress "$1" "$2" "$3"
}

make_folder() { ( umask 022; mkdir -p "$R${1%/*}" ); }

dress() { # PATH MODE OWNER: a lab's balancer may be an ordinary user, who cannot give files away
    new=$(beside "$1")
    chmod "$2" "$new" && { [ -n "$R" ] || chown "$3" "$new"; } && flush "$new" || return
    STAGED="$STAGED $1"
}

do_remove() { REMOVED="$REMOVED $1"; } # PATH: it goes when the next service step commits

# swap: what is staged goes in, what is to go goes out; the old content waits in WORK until the step is over.
swap() {
    for path in $STAGED $REMOVED; do
        [ ! -e "$R$path" ] || cp -p "$R$path" "$WORK/old-${path##*/}" || return
    done
    for path in $STAGED; do mv -f "$(beside "$path")" "$R$path" && label "$path" || return; done
    for path in $REMOVED; do rm -f "$R$path" || return; done
}

label() { ! has restorecon || restorecon "$R$1" || true; }

swap_back() {
    for path in $STAGED $REMOVED; do
        if [ -e "$WORK/old-${path##*/}" ]; then
            cp -p "$WORK/old-${path##*/}" "$(beside "$path")" && mv -f "$(beside "$path")" "$R$path" && label "$path"
        else
            rm -f "$R$path"
        fi
    done
}

settle() {
    for path in $STAGED $REMOVED; do flush "$R${path%/*}"; done
    STAGED= REMOVED=
}

# --- haproxy --------------------------------------------------------------------------------------------------------

# view PATH: the folder as it will be: its files, without those to go, with those that wait.
view() {
    rm -rf "$WORK/view"
    mkdir "$WORK/view" || return
    for one in "$R$1"/*.cfg; do
        one=$(logical "$one")
        case " $STAGED $REMOVED " in *" $one "*) continue ;; esac
        [ ! -f "$R$one" ] || ln -s "$R$one" "$WORK/view/${one##*/}" || return
    done
    for one in $STAGED; do
        [ "${one%/*}" != "${1%/}" ] || ln -s "$(beside "$one")" "$WORK/view/${one##*/}" || return
    done
}

# validate: haproxy -c with the unit's own -f arguments, the new files in place of the old.
validate() {
    know_unit
    set --
    for path in $UNIT_PATHS; do
        case " $REMOVED " in *" $path "*) continue ;; esac
        if [ -d "$R$path" ]; then
            view "$path" || return
            set -- "$@" -f "$WORK/view"
        elif staged "$path"; then
            set -- "$@" -f "$(beside "$path")"
        else
            set -- "$@" -f "$R$path"
        fi
    done
    [ "$#" -gt 0 ] || { echo "the unit of haproxy names no configuration file"; return 1; }
    haproxy -c "$@" >"$WORK/check" 2>&1
    check_status=$?
    cat "$WORK/check"
    [ "$check_status" -eq 0 ] || return 1
    ! grep -q '\[ALERT\]' "$WORK/check" # 1.8 alerts of a server without a check port and ends with 0
}

active() { systemctl is-active "$1" >/dev/null 2>&1; }

# enable_as UNIT yes|no
enable_as() {
    if [ "$2" = yes ]; then systemctl enable "$1"; else systemctl disable "$1"; fi
}

# do_haproxy RUNNING ENABLED DIGEST|- ACT: commits what waits. ACT: none, reload, restart (yes/no before).
do_haproxy() {
    [ "$1" = no ] || validate || return
    was=$(systemctl is-active haproxy 2>/dev/null)
    step_began=$(date +%s)
    if [ "$1" = no ]; then
        systemctl stop haproxy && enable_as haproxy "$2" && swap && settle
        return
    fi
    if swap && serve "$4" && await "$3" && enable_as haproxy "$2"; then
        settle
        return
    fi
    last_words haproxy
    swap_back
    know_unit
    if [ "$was" = active ]; then systemctl reload haproxy || systemctl restart haproxy; else systemctl stop haproxy; fi
    echo "the old configuration is back"
    STAGED= REMOVED=
    return 1
}

serve() { # ACT
    if ! active haproxy; then
        systemctl reset-failed haproxy 2>/dev/null
        systemctl start haproxy
    elif [ "$1" != none ]; then
        systemctl "$1" haproxy
    fi
}

# shows DIGEST|-: is it what the admin socket tells? "-": nothing of this cluster. 3: there is nobody to ask.
shows() {
    answer=$(ask_haproxy "$SERVED" 2>/dev/null)
    case $?,$1,$answer in
        3,* | 127,*) return 3 ;;
        0,-,*"description: provision $CLUSTER "* | 0,-,*"provision_${CLUSTER}_"*) return 1 ;;
        0,-,*) return 0 ;;
        0,*" $1"* | 0,*"_$1,BACKEND"*) return 0 ;;
    esac
    return 1
}

# await DIGEST|-: until the new worker serves, at most 15 s. Without a socket to ask, that it stays active must do.
await() {
    tries=75
    while [ "$tries" -gt 0 ]; do
        shows "$1"
        case $? in
            0) active haproxy && return 0 ;;
            3) sleep 1; active haproxy; return ;;
        esac
        sleep 0.2
        tries=$((tries - 1))
    done
    echo "after 15 s haproxy does not serve the new configuration"
    return 1
}

# last_words UNIT: what it said in this step; what it said in an earlier one would accuse the innocent.
last_words() {
    has journalctl || return 0
    within 5 journalctl --sync 2>/dev/null # EL7 does not know how; elsewhere the last line may still be on its way
    within 5 journalctl -u "$1" --since "@$step_began" -n 20 --no-pager -o cat 2>/dev/null
}

# --- rsyslog --------------------------------------------------------------------------------------------------------

# log_remarks: what rsyslogd's own check says, without its frame; how it ended is in log_status.
log_remarks() {
    rsyslogd -N1 >"$WORK/check" 2>&1
    log_status=$?
    grep -v 'config validation run' "$WORK/check"
}

# logs_valid: what counts is what the check says now and did not say before (log_status_before, WORK/logs-before). Its
# status alone misleads: rsyslog 7 (EL7.0 to 7.3) ends with 0 after an error, 8 with 1 over a remark on another's file.
logs_valid() {
    log_remarks >"$WORK/logs"
    cat "$WORK/check"
    news=$(grep -vxFf "$WORK/logs-before" "$WORK/logs")
    case $log_status,$news in
        0,*error* | 0,*'cannot be added'*) return 1 ;;
        0,*) return 0 ;;
    esac
    [ "$log_status_before" -ne 0 ] && [ -z "$news" ]
}

do_rsyslog() { # RUNNING ENABLED
    step_began=$(date +%s)
    log_remarks >"$WORK/logs-before"
    log_status_before=$log_status
    if swap && logs_valid && restart_rsyslog "$1" && enable_as rsyslog "$2"; then
        settle
        return
    fi
    last_words rsyslog
    swap_back
    restart_rsyslog "$1"
    STAGED= REMOVED=
    return 1
}

restart_rsyslog() {
    if [ "$1" = no ]; then
        systemctl stop rsyslog
    else
        systemctl restart rsyslog && active rsyslog
    fi
}
