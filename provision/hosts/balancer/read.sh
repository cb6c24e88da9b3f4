# Reads everything about a balancer that may matter, in one go, and changes nothing.
# read_all ROOT CLUSTER VIP VIP_OWNER ZONE SELINUX FRAGMENT SERVER... ("-" for a zone that is not given)
# A tool that is missing is an answer too (status 127): what it means is decided where the answer is read.

read_all() {
    setup "$1" "$2"
    read_vip=$3 read_owner=$4 read_zone=$5 read_selinux=$6 read_fragment=$7
    shift 7
    read_host
    read_services
    read_config
    read_package
    read_network "$@"
    read_firewall
    read_selinux_state
    read_settings
    read_logging
    read_generation
    frame end 0 ''
}

# The uptime first: on a busy machine time passes between the two, and a process must not seem older than it is.
clock() { read -r clock_uptime </proc/uptime && date +%s.%N && printf '%s\n' "$clock_uptime"; }

read_host() {
    item os cat "$R/etc/os-release"
    item release cat "$R/etc/redhat-release"
    item clock clock
    item whoami id -un
    item group id -gn
}

read_services() {
    item units systemctl show -p Id -p LoadState -p ActiveState -p UnitFileState -p MainPID -p ActiveEnterTimestamp \
        haproxy.service rsyslog.service firewalld.service
    units_text=$item_text
    firewalld_state=$(unit_property firewalld.service ActiveState)
    rsyslog_pid=$(unit_property rsyslog.service MainPID)
    rsyslog_since=$(unit_property rsyslog.service ActiveEnterTimestamp)
    know_unit
    item config-paths config_paths
    item processes ps -e -o pid=,ppid=,etimes=,comm=
}

# unit_property UNIT PROPERTY: from units_text, what `systemctl show` printed for several units, one block each. The
# order within a block is systemd's own (MainPID stands before Id).
unit_property() {
    property_unit= property_value=
    while IFS= read -r property_line; do
        case $property_line in
            '') property_unit= property_value= ;;
            Id=*) property_unit=${property_line#Id=} ;;
            "$2"=*) property_value=${property_line#*=} ;;
        esac
        if [ "$property_unit" = "$1" ] && [ -n "$property_value" ]; then
            printf '%s\n' "$property_value"
            return
        fi
    done <<END
$units_text
END
}

# show_files PATH...: content, mode, owner, time and hash of those that exist.
show_files() {
    for file; do
        shift
        [ -f "$R$file" ] || continue
        set -- "$@" "$R$file"
        item "file:$file" cat "$R$file"
    done
    [ "$#" -gt 0 ] || return 0
    item stat stat -c '%a %U:%G %.3Y %n' "$@"
    item sha256 sha256sum "$@"
}

# listed LIST NAME: is it among the lines?
listed() { case "$NL$1$NL" in *"$NL$2$NL"*) return 0 ;; esac; return 1; }

read_config() {
    read_files=$(config_files)
    for file in "$MAIN" "$read_fragment" "$SYSCONFIG" "/etc/rsyslog.d/provision-$CLUSTER.conf"; do
        listed "$read_files" "$file" || read_files=$read_files$NL$file
    done
    IFS=$NL # a name in conf.d may have blanks
    set -f
    set -- $read_files
    set +f
    unset IFS
    show_files "$@"
    item conf.d ls -d "$R/etc/haproxy/conf.d"
    item served ask_haproxy "$SERVED"
}

candidate() { within 120 "$(package_tool)" -q list available haproxy; }

# The package's own check costs a hash of every file; it is asked only when it must tell stock from foreign.
read_package() {
    item package rpm -q --qf '%{VERSION}-%{RELEASE}\n' haproxy
    if [ "$item_status" -ne 0 ]; then
        item candidate candidate
        return
    fi
    item version haproxy -v
    item home stat -c '%U' "$R/var/lib/haproxy"
    case $(head -n 1 "$R$MAIN" 2>/dev/null) in
        '# Managed by provision, cluster '*) ;;
        *) item package-files rpm -V --nodeps haproxy ;;
    esac
}

read_network() {
    item addresses ip -o -4 addr show
    for server; do item "route:$server" ip -4 route get "$server"; done
    [ "$read_owner" = static ] || return 0
    item connections nmcli -t -f NAME,DEVICE connection show --active
    [ "$item_status" -eq 0 ] || return 0
    connection_names=$(printf '%s\n' "$item_text" | sed 's/:[^:]*$//' | plain_names)
    while IFS= read -r connection; do
        [ -z "$connection" ] || item "connection:$connection" nmcli -t -f ipv4.addresses connection show "$connection"
    done <<END
$connection_names
END
}

# --- firewalld ------------------------------------------------------------------------------------------------------

BUS=org.fedoraproject.FirewallD1
BUS_PATH=/org/fedoraproject/FirewallD1

runtime_call() { within 10 busctl call "$BUS" "$BUS_PATH" "$BUS.zone" "$@"; }
config_call() { within 10 busctl call "$BUS" "$BUS_PATH/config" "$BUS.config" "$@"; }

# active_zones TYPE COUNT ...: the names in busctl's answer to getActiveZones, its words as arguments.
active_zones() {
    zones_left=${2:-0}
    [ "$#" -lt 2 ] || shift 2
    while [ "$zones_left" -gt 0 ]; do
        printf '%s\n' "$1"
        kinds_left=$2
        shift 2
        while [ "$kinds_left" -gt 0 ]; do
            shift $(($2 + 2))
            kinds_left=$((kinds_left - 1))
        done
        zones_left=$((zones_left - 1))
    done
}

# fw_item NAME COMMAND...: an item that must come; without it firewall-cmd is asked.
fw_item() {
    item "$@"
    [ "$item_status" -eq 0 ] || fw_failed=1
}

read_zone_of() {
    fw_item "fw:ports:$1" runtime_call getPorts s "$1"
    fw_item "fw:rules:$1" runtime_call getRichRules s "$1"
    fw_item "fw:services:$1" runtime_call getServices s "$1"
    fw_services="$fw_services ${item_text#as [0-9]*[ $NL]}"
    fw_item "fw:object:$1" config_call getZoneByName s "$1"
    object=${item_text#*\"}
    object=${object%%\"*}
    fw_item "fw:permanent-ports:$1" within 10 busctl call "$BUS" "$object" "$BUS.config.zone" getPorts
    fw_item "fw:permanent-rules:$1" within 10 busctl call "$BUS" "$object" "$BUS.config.zone" getRichRules
}

# Services that every installation opens and that cannot be ours are not asked for their ports.
read_fw_services() {
    for service in $(printf '%s\n' $fw_services | tr -d '"'); do
        case $service in ssh | dhcpv6-client | cockpit | mdns | samba-client | ipp-client | [0-9]*) continue ;; esac
        item "fw:service-object:$service" config_call getServiceByName s "$service"
        object=${item_text#*\"}
        object=${object%%\"*}
        item "fw:service:$service" within 10 busctl call "$BUS" "$object" "$BUS.config.service" getPorts
    done
}

# By D-Bus a question costs 5 ms, by firewall-cmd 200 ms: that one is the way back.
read_firewall() {
    [ "$firewalld_state" = active ] || return 0
    fw_failed=
    read_firewall_bus
    [ -z "$fw_failed" ] || read_firewall_cmd
}

read_firewall_bus() {
    fw_item fw:default within 10 busctl call "$BUS" "$BUS_PATH" "$BUS" getDefaultZone
    [ -z "$fw_failed" ] || return 0
    fw_zones=${item_text#s }
    fw_item fw:active runtime_call getActiveZones
    set -f
    fw_zones="$fw_zones $(active_zones $item_text)"
    [ "$read_zone" = - ] || fw_zones="$fw_zones $read_zone"
    fw_services= fw_seen=
    for zone in $(printf '%s\n' $fw_zones | tr -d '"'); do
        listed "$fw_seen" "$zone" || read_zone_of "$zone"
        fw_seen=$fw_seen$NL$zone
    done
    read_fw_services
    set +f
}

# A firewalld that hangs would take the whole reading along: who does not answer the first question is asked no more.
read_firewall_cmd() {
    item fw:cmd-default within 20 firewall-cmd --get-default-zone
    [ "$item_status" -ne 124 ] || return 0
    item fw:cmd-runtime within 20 firewall-cmd --list-all-zones
    item fw:cmd-permanent within 20 firewall-cmd --permanent --list-all-zones
}

# --- SELinux, kernel, logs ------------------------------------------------------------------------------------------

# stored_booleans: the local choices in the policy store. 4: no store is known here, 1: a store without any.
stored_booleans() {
    stored=4
    for store in "$R"/var/lib/selinux/*/active "$R"/etc/selinux/*/active "$R"/etc/selinux/*/modules/active; do
        [ -d "$store" ] || continue
        [ "$stored" -eq 0 ] || stored=1
        [ ! -f "$store/booleans.local" ] || { cat "$store/booleans.local"; stored=0; }
    done
    return "$stored"
}

# semanage takes a second: it is asked only where the store cannot tell.
read_selinux_state() {
    item enforce getenforce
    [ "$item_status" -eq 0 ] || return 0
    [ "$item_text" != "Disabled$NL" ] || return 0
    item selinux-config cat "$R/etc/selinux/config"
    item boolean getsebool haproxy_connect_any
    item booleans-stored stored_booleans
    [ "$item_status" -ne 4 ] || item booleans semanage boolean -l
    [ "$read_selinux" != permissive-domain ] || item domains semanage permissive -l
}

sysctl_files() {
    set --
    for file in "$R"/usr/lib/sysctl.d/*.conf "$R"/etc/sysctl.d/*.conf "$R/etc/sysctl.conf"; do
        [ ! -f "$file" ] || set -- "$@" "$file"
    done
    [ "$#" -eq 0 ] || sed -n 's/^[[:space:]]*-\{0,1\}\(net\.ipv4\.ip_[a-z_]*\)[[:space:]]*=[[:space:]]*/\1=/p' "$@"
}

read_settings() {
    item sysctl sysctl net.ipv4.ip_nonlocal_bind net.ipv4.ip_local_port_range net.ipv4.ip_local_reserved_ports
    item sysctl-stored sysctl_files
}

read_logging() {
    has rsyslogd || return 0
    item log-rules grep -nHsiE 'imudp|UDPServer(Run|Address)|local2|IncludeConfig|include\(' "$R/etc/rsyslog.conf" "$R"/etc/rsyslog.d/*.conf
    set -- "$R/etc/rsyslog.conf"
    for file in "$R"/etc/rsyslog.d/*.conf; do [ ! -f "$file" ] || set -- "$@" "$file"; done
    [ ! -d "$R/etc/rsyslog.d" ] || set -- "$@" "$R/etc/rsyslog.d"
    item log-times stat -c '%.3Y %n' "$@"
    case $rsyslog_pid in
        '' | 0) ;;
        *)
            item log-process cat "/proc/$rsyslog_pid/stat"
            [ "$item_status" -eq 0 ] || item log-since date -d "$rsyslog_since" +%s
            ;;
    esac
}

read_generation() {
    newest=
    for file in "$STATE"/generations/*.json; do [ ! -f "$file" ] || newest=$file; done
    [ -z "$newest" ] || item "generation:${newest##*/}" cat "$newest"
}
