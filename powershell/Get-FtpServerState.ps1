<#
.SYNOPSIS
Reads everything about this IIS FTP server that a load balancer in front of it depends on. Changes nothing.

.DESCRIPTION
Returns one string, a JSON document in ASCII: {"format":1,"ok":true,"data":{...}}. When something goes wrong it is
{"format":1,"ok":false,"error":{"code","message","type","line","data"}} instead; the script itself does not fail then.

data holds: the data channel port range of the server, the external address of the site defaults and of each FTP site
(explicit, inherited or absent), the Windows Firewall rule with the given name, other rules that open or block the same
ports, the firewall profiles, the FTP service, the marker of the last change of the range, reserved ports, listeners
inside the range, and settings of FTP that behave differently behind a proxy.

Needs Windows PowerShell 5.1, 64-bit, as a member of Administrators, elevated. When the FTP service is not installed
the answer says so, with the command that installs it, and ends there.

.PARAMETER Json
The question as JSON text: {"cluster":"lab","ruleName":"provision-lab","sites":["FTP"],"ftpAddress":"192.168.1.110",
"ftpPort":21,"passivePorts":{"low":10000,"high":10020}}

.PARAMETER JsonPath
A file (UTF-8) that holds the same JSON. Give either -Json or -JsonPath.

.EXAMPLE
.\Get-FtpServerState.ps1 -JsonPath .\question.json

Asks by hand and prints the answer. question.json holds, in UTF-8, what stands at the parameter Json.

.EXAMPLE
(.\Get-FtpServerState.ps1 -JsonPath question.json | ConvertFrom-Json).data.sites | Format-List

Shows the FTP sites only.

.NOTES
What only a real Windows Server can show:
- Whether IsInheritedFromDefaultValue is true for a value that comes from the site defaults. The script does not rely on
  it: whether an attribute is stored is read from applicationHost.config itself, and the two must agree on the value.
  With shared configuration the file lies elsewhere, and ServerManager's word is taken.
- The start of the service is the start of its process. Where Windows lets several services share one svchost.exe, that
  process may be older than the service.
- The NetSecurity and NetTCPIP cmdlets live in modules, which do not see $ErrorActionPreference of a script: hence
  -ErrorAction Stop at each of them.
#>
[CmdletBinding()]
param(
    [string]$Json,
    [string]$JsonPath
)

Set-StrictMode -Version Latest
$ErrorActionPreference = 'Stop'
$ProgressPreference = 'SilentlyContinue'
# powershell.exe prints warnings among the output ("Waiting for service ...").
$WarningPreference = 'SilentlyContinue'

$InstallCommand = 'Install-WindowsFeature -Name Web-Ftp-Server -IncludeManagementTools'
$AdministrationDll = "$env:windir\System32\inetsrv\Microsoft.Web.Administration.dll"
$ConfigurationFile = "$env:windir\System32\inetsrv\config\applicationHost.config"

function New-CodedError {
    # An exception that carries the code of the answer; throw it.
    param([string]$Code, [string]$Message, [object]$Data)
    $exception = New-Object -TypeName System.InvalidOperationException -ArgumentList $Message
    $exception.Data['code'] = $Code
    $exception.Data['data'] = $Data
    return $exception
}

function ConvertTo-AsciiJson {
    # ASCII only: what a console code page does to other characters differs from server to server.
    param([object]$Value)
    $text = ConvertTo-Json -InputObject $Value -Depth 10 -Compress
    $escape = [System.Text.RegularExpressions.MatchEvaluator]{ param($match) '\u{0:x4}' -f [int][char]$match.Value }
    return [regex]::Replace($text, '[^\x20-\x7e]', $escape)
}

function ConvertTo-ErrorAnswer {
    # The innermost exception that carries a code decides; without one the error is Unexpected.
    param([System.Management.Automation.ErrorRecord]$ErrorRecord)
    $exception = $ErrorRecord.Exception
    while (-not $exception.Data.Contains('code') -and $null -ne $exception.InnerException) {
        $exception = $exception.InnerException
    }
    $code = 'Unexpected'
    $data = $null
    if ($exception.Data.Contains('code')) {
        $code = $exception.Data['code']
        $data = $exception.Data['data']
    }
    return [ordered]@{
        format = 1
        ok = $false
        error = [ordered]@{
            code = $code
            message = [string]$exception.Message
            type = $exception.GetType().FullName
            line = [int]$ErrorRecord.InvocationInfo.ScriptLineNumber
            data = $data
        }
    }
}

function Assert-Environment {
    $version = $PSVersionTable.PSVersion
    if ($version.Major -ne 5 -or $version.Minor -lt 1) {
        throw (New-CodedError -Code 'NotWindowsPowerShell51' -Data ([string]$version) -Message (
            "This is PowerShell $version. Use Windows PowerShell 5.1 (endpoint Microsoft.PowerShell, powershell.exe)."))
    }
    if (-not [Environment]::Is64BitProcess) {
        throw (New-CodedError -Code 'Not64Bit' -Message (
            'This is a 32-bit process: it would see a copy of the IIS configuration. Use the 64-bit endpoint.'))
    }
    $identity = [System.Security.Principal.WindowsIdentity]::GetCurrent()
    $principal = New-Object -TypeName System.Security.Principal.WindowsPrincipal -ArgumentList $identity
    if (-not $principal.IsInRole([System.Security.Principal.WindowsBuiltInRole]::Administrator)) {
        throw (New-CodedError -Code 'NotElevated' -Data $identity.Name -Message (
            "$($identity.Name) is not an elevated administrator here. Use a member of Administrators."))
    }
}

function Get-Field {
    # A required field of the input, of the given kind: text, number, boolean, list or object.
    param([object]$From, [string]$Name, [string]$Kind)
    $property = $From.PSObject.Properties[$Name]
    if ($null -eq $property) {
        throw (New-CodedError -Code 'BadInput' -Message "The field '$Name' is missing.")
    }
    $value = $property.Value
    $fits = switch ($Kind) {
        'text' { $value -is [string] -and $value -ne '' }
        'number' { $value -is [int] }
        'boolean' { $value -is [bool] }
        'list' { $value -is [array] }
        'object' { $value -is [System.Management.Automation.PSCustomObject] }
    }
    if (-not $fits) {
        throw (New-CodedError -Code 'BadInput' -Message "The field '$Name' is not a $Kind.")
    }
    return , $value
}

function Read-Document {
    # The JSON object that was given, directly or in a file.
    param([string]$Json, [string]$JsonPath)
    if (($Json -eq '') -eq ($JsonPath -eq '')) {
        throw (New-CodedError -Code 'BadInput' -Message 'Give either -Json or -JsonPath.')
    }
    $text = $Json
    if ($JsonPath -ne '') {
        $text = Get-Content -LiteralPath $JsonPath -Raw -Encoding UTF8
    }
    try {
        $parsed = ConvertFrom-Json -InputObject $text
    }
    catch {
        throw (New-CodedError -Code 'BadInput' -Message "The input is not JSON: $($_.Exception.Message)")
    }
    if ($parsed -isnot [System.Management.Automation.PSCustomObject]) {
        throw (New-CodedError -Code 'BadInput' -Message 'The input is not a JSON object.')
    }
    return $parsed
}

function Read-ClusterName {
    # It becomes part of a registry path.
    param([object]$Parsed)
    $name = Get-Field -From $Parsed -Name 'cluster' -Kind 'text'
    if ($name -notmatch '^[A-Za-z0-9][A-Za-z0-9._-]{0,62}\z') {
        throw (New-CodedError -Code 'BadInput' -Message "The cluster's name is not made of letters, digits, . _ and -.")
    }
    return $name
}

function Read-RuleName {
    # It is given to cmdlets that understand wildcards.
    param([object]$Parsed)
    $name = Get-Field -From $Parsed -Name 'ruleName' -Kind 'text'
    if ($name -notmatch '^[A-Za-z0-9][A-Za-z0-9 ._-]{0,127}\z') {
        throw (New-CodedError -Code 'BadInput' -Message "The rule's name is not made of letters, digits, . _ - and space.")
    }
    return $name
}

function Read-Question {
    param([string]$Json, [string]$JsonPath)
    $parsed = Read-Document -Json $Json -JsonPath $JsonPath
    $range = Get-Field -From $parsed -Name 'passivePorts' -Kind 'object'
    return @{
        Cluster = Read-ClusterName -Parsed $parsed
        RuleName = Read-RuleName -Parsed $parsed
        Sites = Get-Field -From $parsed -Name 'sites' -Kind 'list'
        FtpPort = Get-Field -From $parsed -Name 'ftpPort' -Kind 'number'
        Low = Get-Field -From $range -Name 'low' -Kind 'number'
        High = Get-Field -From $range -Name 'high' -Kind 'number'
    }
}

function ConvertTo-UtcText {
    param([datetime]$Time)
    $culture = [System.Globalization.CultureInfo]::InvariantCulture
    return $Time.ToUniversalTime().ToString('yyyy-MM-ddTHH:mm:ss.fffZ', $culture)
}

function Test-FtpInstalled {
    $service = @(Get-CimInstance -ClassName Win32_Service -Filter "Name='ftpsvc'" -ErrorAction Stop)
    return ($service.Count -eq 1) -and (Test-Path -LiteralPath $AdministrationDll -PathType Leaf)
}

function Get-HostFact {
    $system = Get-CimInstance -ClassName Win32_OperatingSystem -ErrorAction Stop
    return [ordered]@{
        computerName = [Environment]::MachineName
        osVersion = [string]$system.Version
        osCaption = [string]$system.Caption
        psVersion = [string]$PSVersionTable.PSVersion
        is64Bit = [Environment]::Is64BitProcess
        time = ConvertTo-UtcText -Time ([datetime]::UtcNow)
    }
}

function Get-ExternalAddress {
    # $Element is a firewallSupport of ServerManager, $Node the same element in the file (or $null where the file has
    # none), $Inherited the value of the site defaults. Without $UseFile ServerManager alone is asked.
    param([object]$Element, [object]$Node, [string]$Inherited, [bool]$UseFile)
    $attribute = $Element.GetAttribute('externalIp4Address')
    $value = [string]$attribute.Value
    $stored = -not $attribute.IsInheritedFromDefaultValue
    if ($UseFile) {
        $stored = $null -ne $Node -and $Node.HasAttribute('externalIp4Address')
        $expected = $Inherited
        if ($stored) {
            $expected = $Node.GetAttribute('externalIp4Address')
        }
        if ($value -ne $expected) {
            throw (New-CodedError -Code 'Unexpected' -Data @($value, $expected) -Message (
                "ServerManager says that the external address is '$value', applicationHost.config says '$expected'."))
        }
    }
    $state = 'absent'
    if ($stored) {
        $state = 'explicit'
    }
    elseif ($value -ne '') {
        $state = 'inherited'
    }
    return [ordered]@{ state = $state; value = $value }
}

function Get-FtpState {
    # The FTP state of a site is apart from its web state. A site that is just being made, or whose service is stopped,
    # may answer with COM error 0x800710D8.
    param([object]$FtpServer)
    $names = @('Starting', 'Started', 'Stopping', 'Stopped')
    try {
        $number = [int]$FtpServer.GetAttributeValue('state')
    }
    catch [System.Runtime.InteropServices.COMException] {
        return 'Unknown'
    }
    if ($number -lt 0 -or $number -ge $names.Count) {
        return 'Unknown'
    }
    return $names[$number]
}

function Get-SessionCount {
    # -1 where the service does not tell, for instance because it is stopped.
    param([object]$FtpServer)
    try {
        return [int]$FtpServer.GetCollection('sessions').Count
    }
    catch [System.Runtime.InteropServices.COMException] {
        return -1
    }
}

function Get-PhysicalPath {
    param([object]$Site)
    $application = $Site.Applications['/']
    if ($null -eq $application) {
        return ''
    }
    $directory = $application.VirtualDirectories['/']
    if ($null -eq $directory) {
        return ''
    }
    return [Environment]::ExpandEnvironmentVariables($directory.PhysicalPath)
}

function ConvertTo-Second {
    # Time-outs are numbers of seconds in the schema of FTP; a schema with a time span is understood as well.
    param([object]$Value)
    if ($Value -is [timespan]) {
        return [int]$Value.TotalSeconds
    }
    return [int]$Value
}

function Get-SiteFact {
    param([object]$Site, [object]$Configuration, [object]$Node, [string]$Inherited, [bool]$UseFile, [bool]$DenyByFailure)
    $ftp = $Site.GetChildElement('ftpServer')
    $security = $ftp.GetChildElement('security')
    $ssl = $security.GetChildElement('ssl')
    $controlPolicies = @('SslAllow', 'SslRequire', 'SslRequireCredentialsOnly')
    $dataPolicies = @('SslAllow', 'SslRequire', 'SslDeny')
    $rules = $Configuration.GetSection('system.ftpServer/security/ipSecurity', $Site.Name)
    $support = $ftp.GetChildElement('firewallSupport')
    $dataChannel = $security.GetChildElement('dataChannelSecurity')
    $timeout = $ftp.GetChildElement('connections').GetAttributeValue('controlChannelTimeout')
    return [ordered]@{
        name = [string]$Site.Name
        id = [long]$Site.Id
        bindings = @($Site.Bindings | Where-Object { $_.Protocol -eq 'ftp' } |
            ForEach-Object { [string]$_.BindingInformation })
        managed = $false
        state = Get-FtpState -FtpServer $ftp
        externalAddress = Get-ExternalAddress -Element $support -Node $Node -Inherited $Inherited -UseFile $UseFile
        ssl = [ordered]@{
            controlChannelPolicy = $controlPolicies[[int]$ssl.GetAttributeValue('controlChannelPolicy')]
            dataChannelPolicy = $dataPolicies[[int]$ssl.GetAttributeValue('dataChannelPolicy')]
        }
        matchClientAddressForPasv = [bool]$dataChannel.GetAttributeValue('matchClientAddressForPasv')
        controlChannelTimeout = ConvertTo-Second -Value $timeout
        denyByFailure = $DenyByFailure
        ipSecurityEntries = [int]$rules.GetCollection().Count
        physicalPath = Get-PhysicalPath -Site $Site
        sessions = Get-SessionCount -FtpServer $ftp
    }
}

function Get-PortRange {
    # There is one range for the whole server; it cannot be inherited.
    param([object]$Configuration)
    $section = $Configuration.GetSection('system.ftpServer/firewallSupport')
    $low = $section.GetAttribute('lowDataChannelPort')
    $high = $section.GetAttribute('highDataChannelPort')
    $state = 'explicit'
    if ($low.IsInheritedFromDefaultValue -and $high.IsInheritedFromDefaultValue) {
        $state = 'absent'
    }
    return [ordered]@{ state = $state; low = [int]$low.Value; high = [int]$high.Value }
}

function Get-SiteNode {
    # Name of a site -> its ftpServer/firewallSupport in applicationHost.config, or $null where it has none.
    param([object]$Document)
    $nodes = @{}
    foreach ($site in $Document.SelectNodes('/configuration/system.applicationHost/sites/site')) {
        $nodes[$site.GetAttribute('name')] = $site.SelectSingleNode('ftpServer/firewallSupport')
    }
    return $nodes
}

function Get-IisFact {
    param([object]$Manager, [bool]$Shared, [object]$Document, [string[]]$Managed)
    $configuration = $Manager.GetApplicationHostConfiguration()
    $nodes = @{}
    $defaultNode = $null
    if (-not $Shared) {
        $nodes = Get-SiteNode -Document $Document
        $defaultNode = $Document.SelectSingleNode(
            '/configuration/system.applicationHost/sites/siteDefaults/ftpServer/firewallSupport')
    }
    $defaults = $configuration.GetSection('system.applicationHost/sites').GetChildElement('siteDefaults')
    $support = $defaults.GetChildElement('ftpServer').GetChildElement('firewallSupport')
    $default = Get-ExternalAddress -Element $support -Node $defaultNode -Inherited '' -UseFile (-not $Shared)
    $authentication = $configuration.GetSection('system.ftpServer/security/authentication')
    $deny = [bool]$authentication.GetChildElement('denyByFailure').GetAttributeValue('enabled')
    $sites = @(foreach ($site in $Manager.Sites) {
        if (@($site.Bindings | Where-Object { $_.Protocol -eq 'ftp' }).Count -eq 0) {
            continue
        }
        # A site whose element is not in the file was made in this instant: the whole reading is repeated.
        if (-not $Shared -and -not $nodes.ContainsKey($site.Name)) {
            throw (New-CodedError -Code 'Unexpected' -Data ([string]$site.Name) -Message (
                "applicationHost.config does not hold the site '$($site.Name)'."))
        }
        $fact = Get-SiteFact -Site $site -Configuration $configuration -Node $nodes[$site.Name] `
            -Inherited $default.value -UseFile (-not $Shared) -DenyByFailure $deny
        $fact.managed = $Managed -contains $fact.name
        $fact
    })
    return @{
        Range = Get-PortRange -Configuration $configuration
        Default = $default
        Sites = $sites
    }
}

function Read-Iis {
    # ServerManager and the file are two readings. When the file was written meanwhile they are taken again, whole.
    param([string[]]$Managed)
    foreach ($attempt in 1, 2, 3) {
        $written = (Get-Item -LiteralPath $ConfigurationFile).LastWriteTimeUtc
        $manager = New-Object -TypeName Microsoft.Web.Administration.ServerManager
        try {
            $redirection = $manager.GetRedirectionConfiguration().GetSection('configurationRedirection')
            $shared = [bool]$redirection.GetAttributeValue('enabled')
            $document = [xml](Get-Content -LiteralPath $ConfigurationFile -Raw -Encoding UTF8)
            $facts = Get-IisFact -Manager $manager -Shared $shared -Document $document -Managed $Managed
            $facts.Shared = $shared
            $facts.Written = ConvertTo-UtcText -Time $written
            $failure = $null
        }
        catch {
            $failure = $_
        }
        finally {
            $manager.Dispose()
        }
        if ((Get-Item -LiteralPath $ConfigurationFile).LastWriteTimeUtc -eq $written) {
            break
        }
    }
    if ($null -ne $failure) {
        throw $failure
    }
    return $facts
}

function Test-PortOverlap {
    # Whether a rule's ports ('Any', '21', '1024-65535', or words such as 'RPC') touch the FTP port or the passive range.
    param([string[]]$Ports, [hashtable]$Question)
    foreach ($entry in $Ports) {
        if ($entry -eq 'Any') {
            return $true
        }
        if ($entry -match '^(?<first>\d+)(-(?<last>\d+))?$') {
            $first = [int]$Matches['first']
            $last = $first
            if ($Matches.ContainsKey('last')) {
                $last = [int]$Matches['last']
            }
            if ($first -le $Question.FtpPort -and $Question.FtpPort -le $last) {
                return $true
            }
            if ($first -le $Question.High -and $Question.Low -le $last) {
                return $true
            }
        }
    }
    return $false
}

function Get-OwnRule {
    param([string]$Name)
    try {
        $rule = Get-NetFirewallRule -Name $Name -PolicyStore PersistentStore -ErrorAction Stop
    }
    catch {
        if ([string]$_.CategoryInfo.Category -ne 'ObjectNotFound') {
            throw
        }
        return [ordered]@{ present = $false }
    }
    $port = Get-NetFirewallPortFilter -AssociatedNetFirewallRule $rule -ErrorAction Stop
    $address = Get-NetFirewallAddressFilter -AssociatedNetFirewallRule $rule -ErrorAction Stop
    $service = Get-NetFirewallServiceFilter -AssociatedNetFirewallRule $rule -ErrorAction Stop
    return [ordered]@{
        present = $true
        enabled = [string]$rule.Enabled -eq 'True'
        direction = [string]$rule.Direction
        action = [string]$rule.Action
        protocol = [string]$port.Protocol
        localPorts = @($port.LocalPort | ForEach-Object { [string]$_ })
        remoteAddresses = @($address.RemoteAddress | ForEach-Object { [string]$_ })
        service = [string]$service.Service
        profiles = [string]$rule.Profile
    }
}

function Get-OtherRule {
    # Rules in force, of whatever origin, that touch our ports and can mean ftpsvc. A query per rule costs tens of
    # milliseconds and a server has hundreds of rules: each kind of filter is read once and joined by InstanceID.
    param([hashtable]$Question)
    $ports = @{}
    foreach ($filter in Get-NetFirewallPortFilter -PolicyStore ActiveStore -ErrorAction Stop) {
        $local = @($filter.LocalPort | ForEach-Object { [string]$_ })
        $isTcp = @('TCP', 'Any', '6') -contains [string]$filter.Protocol
        if ($isTcp -and (Test-PortOverlap -Ports $local -Question $Question)) {
            $ports[$filter.InstanceID] = $local
        }
    }
    $programs = @{}
    foreach ($filter in Get-NetFirewallApplicationFilter -PolicyStore ActiveStore -ErrorAction Stop) {
        # Rules of other programs and of store apps do not admit anybody to the FTP service.
        if ([string]$filter.Package -eq '' -and [string]$filter.Program -match '^Any$|(^|\\)svchost\.exe$') {
            $programs[$filter.InstanceID] = $true
        }
    }
    $services = @{}
    foreach ($filter in Get-NetFirewallServiceFilter -PolicyStore ActiveStore -ErrorAction Stop) {
        if (@('Any', 'ftpsvc', '*') -contains [string]$filter.Service) {
            $services[$filter.InstanceID] = [string]$filter.Service
        }
    }
    $addresses = @{}
    foreach ($filter in Get-NetFirewallAddressFilter -PolicyStore ActiveStore -ErrorAction Stop) {
        if ($ports.ContainsKey($filter.InstanceID)) {
            $addresses[$filter.InstanceID] = @($filter.RemoteAddress | ForEach-Object { [string]$_ })
        }
    }
    foreach ($rule in Get-NetFirewallRule -PolicyStore ActiveStore -Enabled True -Direction Inbound -ErrorAction Stop) {
        $id = $rule.InstanceID
        if ($rule.Name -eq $Question.RuleName -or -not $ports.ContainsKey($id) -or -not $programs.ContainsKey($id) -or
            -not $services.ContainsKey($id)) {
            continue
        }
        [ordered]@{
            action = [string]$rule.Action
            name = [string]$rule.Name
            displayName = [string]$rule.DisplayName
            localPorts = @($ports[$id])
            remoteAddresses = @($addresses[$id])
            service = $services[$id]
        }
    }
}

function Select-Rule {
    param([object[]]$Rules, [string]$Action)
    foreach ($rule in $Rules) {
        if ($rule.action -eq $Action) {
            [ordered]@{
                name = $rule.name
                displayName = $rule.displayName
                localPorts = $rule.localPorts
                remoteAddresses = $rule.remoteAddresses
                service = $rule.service
            }
        }
    }
}

function Get-FirewallProfileFact {
    # NotConfigured means the default: the profile is on, and local rules count.
    foreach ($item in Get-NetFirewallProfile -PolicyStore ActiveStore -ErrorAction Stop) {
        [ordered]@{
            name = [string]$item.Name
            enabled = [string]$item.Enabled -ne 'False'
            allowLocalRules = [string]$item.AllowLocalFirewallRules -ne 'False'
        }
    }
}

function Get-ServiceFact {
    $service = Get-CimInstance -ClassName Win32_Service -Filter "Name='ftpsvc'" -ErrorAction Stop
    $startType = [string]$service.StartMode
    if ($startType -eq 'Auto') {
        $startType = 'Automatic'
    }
    $startedAt = $null
    if ([int]$service.ProcessId -ne 0) {
        $startedAt = ConvertTo-UtcText -Time (Get-Process -Id ([int]$service.ProcessId)).StartTime
    }
    return [ordered]@{
        name = 'ftpsvc'
        startType = $startType
        status = [string]$service.State -replace ' ', ''
        startedAt = $startedAt
        processId = [int]$service.ProcessId
    }
}

function Get-RangeMarker {
    param([string]$Cluster)
    $path = "HKLM:\SOFTWARE\provision\$Cluster"
    if (-not (Test-Path -LiteralPath $path)) {
        return $null
    }
    $item = Get-ItemProperty -LiteralPath $path
    foreach ($name in 'Low', 'High', 'ChangedAt') {
        if ($null -eq $item.PSObject.Properties[$name]) {
            return $null
        }
    }
    return [ordered]@{ low = [int]$item.Low; high = [int]$item.High; changedAt = [string]$item.ChangedAt }
}

function Invoke-Netsh {
    # The words of netsh are translated, its numbers are not.
    param([string[]]$Arguments)
    $lines = @(netsh.exe @Arguments)
    if ($LASTEXITCODE -ne 0) {
        throw (New-CodedError -Code 'Unexpected' -Data $lines -Message (
            "netsh $($Arguments -join ' ') ended with $LASTEXITCODE."))
    }
    return $lines
}

function Get-ReservedPort {
    param([hashtable]$Question)
    foreach ($line in Invoke-Netsh -Arguments 'interface', 'ipv4', 'show', 'excludedportrange', 'protocol=tcp') {
        if ($line -match '^\s*(?<first>\d+)\s+(?<last>\d+)') {
            $first = [int]$Matches['first']
            $last = [int]$Matches['last']
            if ($first -le $Question.High -and $Question.Low -le $last) {
                "$first-$last"
            }
        }
    }
}

function Get-DynamicPort {
    $numbers = @(foreach ($line in Invoke-Netsh -Arguments 'interface', 'ipv4', 'show', 'dynamicport', 'tcp') {
        if ($line -match ':\s*(?<number>\d+)\s*$') {
            [int]$Matches['number']
        }
    })
    if ($numbers.Count -ne 2) {
        throw (New-CodedError -Code 'Unexpected' -Message 'netsh did not tell the dynamic port range as two numbers.')
    }
    return "$($numbers[0])-$($numbers[0] + $numbers[1] - 1)"
}

function Get-Listener {
    param([hashtable]$Question, [int]$FtpProcess)
    try {
        $sockets = @(Get-NetTCPConnection -State Listen -ErrorAction Stop)
    }
    catch {
        if ([string]$_.CategoryInfo.Category -ne 'ObjectNotFound') {
            throw
        }
        $sockets = @()
    }
    $seen = @{}
    foreach ($socket in $sockets) {
        $port = [int]$socket.LocalPort
        if ($port -lt $Question.Low -or $port -gt $Question.High -or [int]$socket.OwningProcess -eq $FtpProcess) {
            continue
        }
        # One program that listens on several addresses is one finding.
        if (-not $seen.ContainsKey($port)) {
            $seen[$port] = $true
            [ordered]@{ port = $port; processId = [int]$socket.OwningProcess }
        }
    }
}

function Measure-Session {
    # The sum over all FTP sites, -1 as soon as one does not tell.
    param([object[]]$Sites)
    $sum = 0
    foreach ($site in $Sites) {
        if ($site.sessions -lt 0) {
            return -1
        }
        $sum += $site.sessions
    }
    return $sum
}

function Get-ServerFact {
    param([hashtable]$Question)
    $data = [ordered]@{
        host = Get-HostFact
        feature = [ordered]@{ installed = Test-FtpInstalled; installCommand = $InstallCommand }
    }
    if (-not $data.feature.installed) {
        return $data
    }
    Add-Type -Path $AdministrationDll
    $iis = Read-Iis -Managed $Question.Sites
    $names = @($iis.Sites | ForEach-Object { $_.name })
    $others = @(Get-OtherRule -Question $Question)
    $data.dataChannelPorts = $iis.Range
    $data.siteDefaults = [ordered]@{ externalAddress = $iis.Default }
    $data.sessions = Measure-Session -Sites $iis.Sites
    foreach ($site in $iis.Sites) {
        $site.Remove('sessions')
    }
    $data.sites = @($iis.Sites)
    $data.missingSites = @($Question.Sites | Where-Object { $names -notcontains $_ })
    $data.firewallRule = Get-OwnRule -Name $Question.RuleName
    $data.firewallOpen = @(Select-Rule -Rules $others -Action 'Allow')
    $data.firewallBlocked = @(Select-Rule -Rules $others -Action 'Block')
    $data.firewallProfiles = @(Get-FirewallProfileFact)
    $setting = Get-NetFirewallSetting -PolicyStore ActiveStore -ErrorAction Stop
    $data.statefulFtp = [string]$setting.EnableStatefulFtp -eq 'True'
    $data.service = Get-ServiceFact
    $data.rangeMarker = Get-RangeMarker -Cluster $Question.Cluster
    $data.configChangedAt = $iis.Written
    $data.sharedConfig = $iis.Shared
    $data.reservedPorts = @(Get-ReservedPort -Question $Question)
    $data.dynamicPorts = Get-DynamicPort
    $data.listeners = @(Get-Listener -Question $Question -FtpProcess $data.service.processId)
    return $data
}

try {
    Assert-Environment
    $question = Read-Question -Json $Json -JsonPath $JsonPath
    $answer = [ordered]@{ format = 1; ok = $true; data = Get-ServerFact -Question $question }
}
catch {
    $answer = ConvertTo-ErrorAnswer -ErrorRecord $_
}
ConvertTo-AsciiJson -Value $answer
