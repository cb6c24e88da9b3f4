# Functions that every script on a balancer shares. POSIX sh; runs under bash (EL) and dash.
# R: prefix of every path ("" but in a lab). CLUSTER: the cluster's name. Names of others' things come as arguments.

LC_ALL=C
export LC_ALL
umask 077
NL='
'

# setup ROOT CLUSTER: where things are. An ssh command's PATH may lack the sbin folders.
setup() {
    R=${1%/}
    CLUSTER=$2
    STATE=$R/var/lib/provision/$CLUSTER
    MAIN=/etc/haproxy/haproxy.cfg
    SYSCONFIG=/etc/sysconfig/haproxy
    STAGED=
    [ -n "$R" ] || PATH=$PATH:/usr/sbin:/sbin
}

has() { command -v "$1" >/dev/null 2>&1; }

# frame NAME STATUS TEXT: one answer, whatever is in it: a line with its length in bytes, then the bytes.
frame() {
    printf 'provision-frame %s %s %s\n%s\n' "$1" "$2" "${#3}" "$3"
}

# item NAME COMMAND...: runs it, frames its status and both streams; leaves them in item_status and item_text.
item() {
    item_name=$1
    shift
    item_text=$("$@" 2>&1 </dev/null; printf ' %s' "$?")
    item_status=${item_text##* }
    item_text=${item_text% *}
    frame "$item_name" "$item_status" "$item_text"
}

# within SECONDS COMMAND...: with a deadline where the machine can.
within() {
    if has timeout; then timeout "$@"; else shift; "$@"; fi
}

# package_tool: dnf; on EL7 yum, also where somebody put a dnf beside it, which shares neither its cache nor its plugins.
package_tool() {
    if has yum && grep -q '^VERSION_ID="\{0,1\}7' "$R/etc/os-release" 2>/dev/null; then
        echo yum
    elif has dnf; then
        echo dnf
    else
        echo yum
    fi
}

# plain_names: connections as nmcli takes them; its terse output has a backslash before colons and backslashes.
plain_names() { sed 's/\\\(.\)/\1/g'; }

# logical PATH: the path without this machine's prefix.
logical() {
    case $1 in
        "$R"/*) printf '%s\n' "${1#"$R"}" ;;
        *) printf '%s\n' "$1" ;;
    esac
}

# beside PATH: where its next content waits, in the same folder so that a rename is enough.
beside() { printf '%s/.provision-new-%s\n' "$R${1%/*}" "${1##*/}"; }

# staged PATH: does this very run hold new content for it? What lies there from a run that was killed does not count.
staged() { case " $STAGED " in *" $1 "*) [ -e "$(beside "$1")" ] ;; *) return 1 ;; esac; }

# --- what haproxy's unit says ---------------------------------------------------------------------------------------

# unit_text: the unit with its drop-ins, continued lines joined.
unit_text() {
    systemctl cat haproxy.service 2>/dev/null </dev/null | sed -e ':a' -e '/\\$/{N;s/\\\n//;ta' -e '}'
}

# unit_variables TEXT: NAME=value lines, the later wins. The file of its environment wins over the unit's own lines; one
# that waits beside it wins over that.
unit_variables() {
    variables_file=$R$SYSCONFIG
    ! staged "$SYSCONFIG" || variables_file=$(beside "$SYSCONFIG")
    printf '%s\n' "$1" | sed -n -e '/^Environment=/!d' -e 's/^Environment=//' -e "s/[\"']//g" -e 's/ \([A-Z_]*=\)/\n\1/g' -e p
    [ ! -r "$variables_file" ] || sed -n "s/[\"']//g; /^[A-Z_]*=/p" "$variables_file"
}

# unit_value NAME: from UNIT_VARIABLES.
unit_value() {
    value=
    while IFS= read -r variable; do
        case $variable in "$1"=*) value=${variable#*=} ;; esac
    done <<END
$UNIT_VARIABLES
END
    printf '%s\n' "$value"
}

# unit_words: the words of ExecStart, variables put in. A later ExecStart (of a drop-in) wins.
unit_words() {
    words_text=$(unit_text)
    UNIT_VARIABLES=$(unit_variables "$words_text")
    set -f
    for word in $(printf '%s\n' "$words_text" | sed -n 's/^ExecStart=[-@:+!]*//p' | tail -n 1); do
        case $word in
            '${'*'}') word=${word#??}; unit_value "${word%?}" ;;
            '$'*) unit_value "${word#?}" ;;
            *) printf '%s\n' "$word" ;;
        esac
    done
    set +f
}

# know_unit: keeps the unit's own -f arguments, in order, in UNIT_PATHS. To be called again when the unit changed.
know_unit() {
    UNIT_PATHS= know_take=
    set -f
    for word in $(unit_words); do
        case $word in "$R"/*) word=${word#"$R"} ;; esac
        [ -z "$know_take" ] || UNIT_PATHS="$UNIT_PATHS $word"
        know_take=
        [ "$word" != -f ] || know_take=1
    done
    set +f
}

config_paths() { for path in $UNIT_PATHS; do printf '%s\n' "$path"; done; }

# config_files: every file that these arguments load.
config_files() {
    for path in $UNIT_PATHS; do
        if [ -d "$R$path" ]; then
            for one in "$R$path"/*.cfg; do [ ! -f "$one" ] || logical "$one"; done
        else
            printf '%s\n' "$path"
        fi
    done
}

# --- the admin socket -----------------------------------------------------------------------------------------------

PYTHON_ASK='import os,socket,sys
s=socket.socket(socket.AF_UNIX)
s.settimeout(5)
s.connect(sys.argv[1])
s.sendall((sys.argv[2]+"\n").encode())
while True:
    d=s.recv(65536)
    if not d: break
    os.write(1,d)'

# ask_python SOCKET COMMANDS: the way for a machine with neither socat nor nc.
ask_python() {
    for python in python3 python /usr/libexec/platform-python python2; do
        ! has "$python" || { within 5 "$python" -c "$PYTHON_ASK" "$@"; return; }
    done
    return 127
}

# ask SOCKET COMMANDS: what HAProxy answers, through whatever can speak to a socket here.
# 127: there is no such thing; a refusal stays one, also where there is no Python to ask again.
ask() {
    refused=127
    if has socat; then printf '%s\n' "$2" | within 6 socat -t 5 - "UNIX-CONNECT:$1" && return; refused=$?; fi
    if has nc; then printf '%s\n' "$2" | within 6 nc -U "$1" && return; refused=$?; fi
    ask_python "$@"
    case $? in 0) return 0 ;; 127) return "$refused" ;; esac
    return 1
}

# sockets: the admin sockets that the configuration names.
sockets() {
    config_files | while IFS= read -r file; do
        sed -n 's/^[[:space:]]*stats[[:space:]]\{1,\}socket[[:space:]]\{1,\}\([^[:space:]]*\).*/\1/p' "$R$file" 2>/dev/null
    done
}

# ask_haproxy COMMANDS: the first socket that answers. 3: the configuration names none.
ask_haproxy() {
    asked=3
    for path in $(sockets); do
        path=${path#unix@}
        case $path in /*) ;; *) continue ;; esac
        ask "$R$(logical "$path")" "$1" && return 0
        asked=$?
    done
    return "$asked"
}

SERVED='show info;show stat -1 2 -1'
