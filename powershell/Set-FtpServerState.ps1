<#
.SYNOPSIS
Sets what a load balancer in front of this IIS FTP server depends on: only what is asked for, only where it differs.

.DESCRIPTION
Takes one JSON document and returns one string, a JSON document in ASCII:
{"format":1,"ok":true,"data":{"changed":[...],"commits":1,"restarted":false}}. When something goes wrong it is
{"format":1,"ok":false,"error":{"code","message","type","line","data"}} instead; the script itself does not fail then.

All IIS settings are written in one commit, which is tried three times, each time from a fresh reading, when somebody else
changes applicationHost.config at the same moment. After the commit the settings are read again. Nothing is written before
the whole order, the FTP feature and the named sites were checked. Sites are never created or removed.

The service is restarted only when the order says so. A restart ends every FTP session of this server.

Needs Windows PowerShell 5.1, 64-bit, as a member of Administrators, elevated.

.PARAMETER Json
The order as JSON text. Each key but cluster and ruleName may be left out, and is then not touched; null removes:
{"cluster":"lab","ruleName":"provision-lab",
 "dataChannelPorts":{"set":{"low":10000,"high":10020}},
 "externalAddresses":[{"site":"FTP","set":"192.168.1.123"}],
 "firewallRule":{"set":{"ports":["21","10000-10020"],"remoteAddresses":["192.168.1.10"],"service":"ftpsvc","enabled":true}},
 "service":{"startType":"Automatic","running":true,"restart":true}}

.PARAMETER JsonPath
A file (UTF-8) that holds the same JSON. Give either -Json or -JsonPath.

.EXAMPLE
.\Set-FtpServerState.ps1 -JsonPath .\order.json

Does by hand what order.json says, and prints the answer. order.json holds, in UTF-8, what stands at the parameter Json.

.EXAMPLE
.\Set-FtpServerState.ps1 -Json '{"cluster":"lab","ruleName":"provision-lab","dataChannelPorts":{"set":null}}'

Removes the port range, so that the server has none of its own again. It counts after the next restart of the service.

.NOTES
The time at which the range last changed is kept in the registry, HKLM:\SOFTWARE\provision\<cluster>: the FTP service takes
a new range only when it starts, and any edit touches applicationHost.config.

What only a real Windows Server can show:
- Which exception CommitChanges() throws when the file changed on disk. FileLoadException is what is seen in the field; the
  other codes are those of a file that somebody else holds.
- Whether the service refuses to start with a range that it cannot use, and what it writes to the event log then.
- The NetSecurity cmdlets live in a module, which does not see $ErrorActionPreference of a script: hence -ErrorAction Stop
  at each of them.
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
$ServiceSeconds = 60

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

function ConvertTo-UtcText {
    param([datetime]$Time)
    $culture = [System.Globalization.CultureInfo]::InvariantCulture
    return $Time.ToUniversalTime().ToString('yyyy-MM-ddTHH:mm:ss.fffZ', $culture)
}

function Test-FtpInstalled {
    $service = @(Get-CimInstance -ClassName Win32_Service -Filter "Name='ftpsvc'" -ErrorAction Stop)
    return ($service.Count -eq 1) -and (Test-Path -LiteralPath $AdministrationDll -PathType Leaf)
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

function Test-Field {
    param([object]$From, [string]$Name)
    return $null -ne $From.PSObject.Properties[$Name]
}

function Get-Target {
    # What stands under "set": a value of the given kind, or $null, which removes.
    param([object]$From, [string]$Kind)
    if ((Test-Field -From $From -Name 'set') -and $null -eq $From.set) {
        return $null
    }
    return , (Get-Field -From $From -Name 'set' -Kind $Kind)
}

function Assert-Pattern {
    param([string]$Text, [string]$Pattern, [string]$What)
    if ($Text -notmatch $Pattern) {
        throw (New-CodedError -Code 'BadInput' -Data $Text -Message "$What cannot be '$Text'.")
    }
}

function Read-PortRange {
    param([object]$Parsed)
    $target = Get-Target -From (Get-Field -From $Parsed -Name 'dataChannelPorts' -Kind 'object') -Kind 'object'
    if ($null -eq $target) {
        return @{ Remove = $true; Low = 0; High = 0 }
    }
    $low = Get-Field -From $target -Name 'low' -Kind 'number'
    $high = Get-Field -From $target -Name 'high' -Kind 'number'
    # 0-0 is IIS's way to say: the dynamic port range of Windows. Else 1025 to 65535.
    $isDynamic = $low -eq 0 -and $high -eq 0
    if (-not $isDynamic -and ($low -lt 1025 -or $high -gt 65535 -or $low -gt $high)) {
        throw (New-CodedError -Code 'BadInput' -Message "The range $low-$high is not within 1025-65535, or is reversed.")
    }
    return @{ Remove = $false; Low = $low; High = $high }
}

function Read-Address {
    param([object]$Parsed)
    foreach ($entry in Get-Field -From $Parsed -Name 'externalAddresses' -Kind 'list') {
        $site = Get-Field -From $entry -Name 'site' -Kind 'text'
        $value = Get-Target -From $entry -Kind 'text'
        if ($null -ne $value) {
            $number = '(25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])'
            Assert-Pattern -Text $value -Pattern "^$number\.$number\.$number\.$number\z" -What 'An external address'
        }
        @{ Site = $site; Value = $value }
    }
}

function Read-Rule {
    param([object]$Parsed)
    $target = Get-Target -From (Get-Field -From $Parsed -Name 'firewallRule' -Kind 'object') -Kind 'object'
    if ($null -eq $target) {
        return @{ Remove = $true }
    }
    $givenPorts = Get-Field -From $target -Name 'ports' -Kind 'list'
    $givenAddresses = Get-Field -From $target -Name 'remoteAddresses' -Kind 'list'
    $ports = @($givenPorts | ForEach-Object { [string]$_ })
    $remote = @($givenAddresses | ForEach-Object { [string]$_ })
    if ($ports.Count -eq 0 -or $remote.Count -eq 0) {
        # An empty list would mean Any to Windows Firewall.
        throw (New-CodedError -Code 'BadInput' -Message 'A firewall rule needs at least one port and one remote address.')
    }
    foreach ($port in $ports) {
        Assert-Pattern -Text $port -Pattern '^[0-9]{1,5}(-[0-9]{1,5})?\z' -What 'A port of the firewall rule'
    }
    foreach ($address in $remote) {
        Assert-Pattern -Text $address -Pattern '^([0-9A-Fa-f.:/-]+|Any|LocalSubnet)\z' -What 'A remote address'
    }
    $service = Get-Field -From $target -Name 'service' -Kind 'text'
    Assert-Pattern -Text $service -Pattern '^[A-Za-z0-9_]+\z' -What 'The service of the firewall rule'
    return @{
        Remove = $false
        Ports = $ports
        Remote = $remote
        Service = $service
        Enabled = Get-Field -From $target -Name 'enabled' -Kind 'boolean'
    }
}

function Read-Service {
    param([object]$Parsed)
    $from = Get-Field -From $Parsed -Name 'service' -Kind 'object'
    $service = @{ StartType = $null; Running = $null; Restart = $false }
    if (Test-Field -From $from -Name 'startType') {
        $service.StartType = Get-Field -From $from -Name 'startType' -Kind 'text'
        Assert-Pattern -Text $service.StartType -Pattern '^(Automatic|Manual|Disabled)\z' -What 'The start type'
    }
    if (Test-Field -From $from -Name 'running') {
        $service.Running = Get-Field -From $from -Name 'running' -Kind 'boolean'
    }
    if (Test-Field -From $from -Name 'restart') {
        $service.Restart = Get-Field -From $from -Name 'restart' -Kind 'boolean'
    }
    if ($service.Running -eq $false -and $service.Restart) {
        throw (New-CodedError -Code 'BadInput' -Message 'A service cannot be restarted and be stopped.')
    }
    if ($service.StartType -eq 'Disabled' -and ($service.Running -eq $true -or $service.Restart)) {
        throw (New-CodedError -Code 'BadInput' -Message 'A disabled service cannot be started.')
    }
    return $service
}

function Read-Order {
    param([string]$Json, [string]$JsonPath)
    $parsed = Read-Document -Json $Json -JsonPath $JsonPath
    $known = @('cluster', 'ruleName', 'dataChannelPorts', 'externalAddresses', 'firewallRule', 'service')
    foreach ($property in $parsed.PSObject.Properties) {
        if ($known -notcontains $property.Name) {
            throw (New-CodedError -Code 'BadInput' -Message "The field '$($property.Name)' is not known.")
        }
    }
    $order = @{
        Cluster = Read-ClusterName -Parsed $parsed
        RuleName = Read-RuleName -Parsed $parsed
        Range = $null
        Addresses = @()
        Rule = $null
        Service = $null
    }
    if (Test-Field -From $parsed -Name 'dataChannelPorts') {
        $order.Range = Read-PortRange -Parsed $parsed
    }
    if (Test-Field -From $parsed -Name 'externalAddresses') {
        $order.Addresses = @(Read-Address -Parsed $parsed)
    }
    if (Test-Field -From $parsed -Name 'firewallRule') {
        $order.Rule = Read-Rule -Parsed $parsed
    }
    if (Test-Field -From $parsed -Name 'service') {
        $order.Service = Read-Service -Parsed $parsed
    }
    return $order
}

function Update-PortRange {
    # Gives 'dataChannelPorts' when something had to change.
    param([object]$Configuration, [hashtable]$Range)
    $section = $Configuration.GetSection('system.ftpServer/firewallSupport')
    $wanted = @{ lowDataChannelPort = $Range.Low; highDataChannelPort = $Range.High }
    $changed = $false
    foreach ($name in 'lowDataChannelPort', 'highDataChannelPort') {
        $attribute = $section.GetAttribute($name)
        $stored = -not $attribute.IsInheritedFromDefaultValue
        if ($Range.Remove) {
            if ($stored) {
                $attribute.Delete()
                $changed = $true
            }
            continue
        }
        # The default is 0: a range of 0-0 that is not stored says the same as one that is.
        if ([int]$attribute.Value -ne $wanted[$name]) {
            $section.SetAttributeValue($name, [int]$wanted[$name])
            $changed = $true
        }
    }
    if ($changed) {
        'dataChannelPorts'
    }
}

function Update-ExternalAddress {
    # Gives 'externalAddress:<site>' when something had to change.
    param([object]$Site, [object]$Node, [object]$Value, [bool]$UseFile)
    $element = $Site.GetChildElement('ftpServer').GetChildElement('firewallSupport')
    $attribute = $element.GetAttribute('externalIp4Address')
    # An address that comes from the site defaults is not the site's own, even when it is the same.
    $stored = -not $attribute.IsInheritedFromDefaultValue
    if ($UseFile) {
        $stored = $null -ne $Node -and $Node.HasAttribute('externalIp4Address')
    }
    if ($null -eq $Value) {
        if ($stored) {
            $attribute.Delete()
            "externalAddress:$($Site.Name)"
        }
        return
    }
    if (-not $stored -or [string]$attribute.Value -ne $Value) {
        $element.SetAttributeValue('externalIp4Address', [string]$Value)
        "externalAddress:$($Site.Name)"
    }
}

function Find-FtpSite {
    param([object]$Manager, [string]$Name)
    $known = @(foreach ($site in $Manager.Sites) {
        if (@($site.Bindings | Where-Object { $_.Protocol -eq 'ftp' }).Count -gt 0) {
            $site
        }
    })
    foreach ($site in $known) {
        if ($site.Name -eq $Name) {
            return $site
        }
    }
    $names = @($known | ForEach-Object { [string]$_.Name })
    throw (New-CodedError -Code 'NoSuchSite' -Data $names -Message (
        "There is no FTP site '$Name' on this server. FTP sites there are: $($names -join ', ')."))
}

function Update-Configuration {
    # Brings the configuration in memory to what the order says, and gives a word for each change. Commits nothing.
    param([object]$Manager, [hashtable]$Order)
    $configuration = $Manager.GetApplicationHostConfiguration()
    $redirection = $Manager.GetRedirectionConfiguration().GetSection('configurationRedirection')
    $shared = [bool]$redirection.GetAttributeValue('enabled')
    $nodes = @{}
    if (-not $shared) {
        $nodes = Get-SiteNode -Document ([xml](Get-Content -LiteralPath $ConfigurationFile -Raw -Encoding UTF8))
    }
    if ($null -ne $Order.Range) {
        Update-PortRange -Configuration $configuration -Range $Order.Range
    }
    foreach ($address in $Order.Addresses) {
        $site = Find-FtpSite -Manager $Manager -Name $address.Site
        Update-ExternalAddress -Site $site -Node $nodes[$site.Name] -Value $address.Value -UseFile (-not $shared)
    }
}

function Test-CommitConflict {
    # Somebody else wrote or holds the file: a matter of trying again. By type and number, since texts are translated.
    param([System.Management.Automation.ErrorRecord]$ErrorRecord)
    # ERROR_SHARING_VIOLATION, ERROR_LOCK_VIOLATION, ERROR_ALREADY_EXISTS, ERROR_FILE_INVALID as HRESULT 0x8007....
    $numbers = @(-2147024864, -2147024863, -2147024713, -2147023890)
    $exception = $ErrorRecord.Exception
    while ($null -ne $exception) {
        if ($exception.GetType().FullName -eq 'System.IO.FileLoadException' -or $numbers -contains $exception.HResult) {
            return $true
        }
        $exception = $exception.InnerException
    }
    return $false
}

function Submit-Configuration {
    # One try. Conflict is $null, or the reason why it has to be tried again.
    param([hashtable]$Order)
    $manager = New-Object -TypeName Microsoft.Web.Administration.ServerManager
    try {
        $changed = @(Update-Configuration -Manager $manager -Order $Order)
        if ($changed.Count -gt 0) {
            $manager.CommitChanges()
        }
        return @{ Changed = $changed; Conflict = $null }
    }
    catch {
        if (-not (Test-CommitConflict -ErrorRecord $_)) {
            throw
        }
        return @{ Changed = @(); Conflict = [string]$_.Exception.Message }
    }
    finally {
        $manager.Dispose()
    }
}

function Set-Configuration {
    # The words for what was changed; an array also when it is one or none.
    param([hashtable]$Order)
    if ($null -eq $Order.Range -and $Order.Addresses.Count -eq 0) {
        return , @()
    }
    foreach ($attempt in 1, 2, 3) {
        $result = Submit-Configuration -Order $Order
        if ($null -eq $result.Conflict) {
            break
        }
        Start-Sleep -Milliseconds (250 * $attempt)
    }
    if ($null -ne $result.Conflict) {
        throw (New-CodedError -Code 'CommitConflict' -Data $result.Conflict -Message (
            'applicationHost.config was changed or held by somebody else during three tries. Nothing was written.'))
    }
    if ($result.Changed.Count -gt 0) {
        Assert-Configuration -Order $Order
    }
    return , $result.Changed
}

function Assert-Configuration {
    # What was committed is read again, by a ServerManager that has seen nothing else.
    param([hashtable]$Order)
    $manager = New-Object -TypeName Microsoft.Web.Administration.ServerManager
    try {
        $left = @(Update-Configuration -Manager $manager -Order $Order)
    }
    finally {
        $manager.Dispose()
    }
    if ($left.Count -gt 0) {
        throw (New-CodedError -Code 'Unexpected' -Data $left -Message (
            "The commit was accepted, but the configuration reads otherwise: $($left -join ', ')."))
    }
}

function Set-RangeMarker {
    param([hashtable]$Order)
    $path = "HKLM:\SOFTWARE\provision\$($Order.Cluster)"
    if (-not (Test-Path -LiteralPath $path)) {
        # -Force makes the keys above it too; on a key that exists it would empty it.
        [void](New-Item -Path $path -Force)
    }
    $now = ConvertTo-UtcText -Time ([datetime]::UtcNow)
    [void](New-ItemProperty -LiteralPath $path -Name 'Low' -PropertyType DWord -Value $Order.Range.Low -Force)
    [void](New-ItemProperty -LiteralPath $path -Name 'High' -PropertyType DWord -Value $Order.Range.High -Force)
    [void](New-ItemProperty -LiteralPath $path -Name 'ChangedAt' -PropertyType String -Value $now -Force)
}

function ConvertTo-AddressKey {
    # Windows gives a single address back with or without its mask, and in an order of its own.
    param([string[]]$Addresses)
    $plain = @($Addresses | ForEach-Object { $_ -replace '/(255\.255\.255\.255|32)$', '' } | Sort-Object -Unique)
    return $plain -join ','
}

function Test-RuleAsWanted {
    param([object]$Rule, [hashtable]$Wanted)
    $portsNow = @($Rule.localPorts | Sort-Object -Unique) -join ','
    $portsThen = @($Wanted.Ports | Sort-Object -Unique) -join ','
    $addressesNow = ConvertTo-AddressKey -Addresses $Rule.remoteAddresses
    $addressesThen = ConvertTo-AddressKey -Addresses $Wanted.Remote
    return $Rule.enabled -eq $Wanted.Enabled -and $Rule.direction -eq 'Inbound' -and $Rule.action -eq 'Allow' -and
        $Rule.protocol -eq 'TCP' -and $Rule.profiles -eq 'Any' -and $Rule.service -eq $Wanted.Service -and
        $portsNow -eq $portsThen -and $addressesNow -eq $addressesThen
}

function Set-OwnRule {
    # Gives 'firewallRule' when something had to change.
    param([hashtable]$Order)
    $wanted = $Order.Rule
    $rule = Get-OwnRule -Name $Order.RuleName
    if ($wanted.Remove) {
        if ($rule.present) {
            Remove-NetFirewallRule -Name $Order.RuleName -PolicyStore PersistentStore -ErrorAction Stop
            'firewallRule'
        }
        return
    }
    if ($rule.present -and (Test-RuleAsWanted -Rule $rule -Wanted $wanted)) {
        return
    }
    $settings = @{
        Name = $Order.RuleName
        PolicyStore = 'PersistentStore'
        Description = "FTP from the balancers of the cluster $($Order.Cluster). Made by provision."
        Enabled = [string]$wanted.Enabled
        Direction = 'Inbound'
        Action = 'Allow'
        Profile = 'Any'
        Protocol = 'TCP'
        LocalPort = $wanted.Ports
        RemoteAddress = $wanted.Remote
        Service = $wanted.Service
        ErrorAction = 'Stop'
    }
    if ($rule.present) {
        Set-NetFirewallRule @settings
    }
    else {
        [void](New-NetFirewallRule -DisplayName $Order.RuleName @settings)
    }
    'firewallRule'
}

function Get-ServiceEvent {
    # The newest lines of the System log since then that speak of FTP; none where the log cannot be read.
    param([datetime]$Since)
    $filter = @{ LogName = 'System'; StartTime = $Since }
    $events = @(Get-WinEvent -FilterHashtable $filter -MaxEvents 200 -ErrorAction SilentlyContinue)
    $ours = @($events | Where-Object { $_.ProviderName -match 'FTP' -or [string]$_.Message -match 'FTP' })
    foreach ($entry in $ours | Select-Object -First 10) {
        $line = @([string]$entry.Message -split '\r?\n')[0]
        "$(ConvertTo-UtcText -Time $entry.TimeCreated) $($entry.ProviderName) $($entry.Id): $line"
    }
}

function Wait-FtpService {
    # Waits until the service has the status; $false when it has not after $ServiceSeconds.
    param([string]$Status)
    $deadline = [datetime]::UtcNow.AddSeconds($ServiceSeconds)
    while ([string](Get-Service -Name ftpsvc).Status -ne $Status) {
        if ([datetime]::UtcNow -gt $deadline) {
            return $false
        }
        Start-Sleep -Milliseconds 250
    }
    return $true
}

function Invoke-ServiceChange {
    # Start, Stop or Restart, and the wait for its end.
    param([string]$Verb, [string]$Status)
    $since = [datetime]::Now
    $reason = "it was not $Status within $ServiceSeconds seconds."
    $done = $false
    try {
        switch ($Verb) {
            'Start' { Start-Service -Name ftpsvc }
            'Stop' { Stop-Service -Name ftpsvc -Force }
            'Restart' { Restart-Service -Name ftpsvc -Force }
        }
        $done = Wait-FtpService -Status $Status
    }
    catch {
        # The outer message only says that it failed; why stands further inside.
        $messages = @()
        $exception = $_.Exception
        while ($null -ne $exception) {
            $messages += $exception.Message
            $exception = $exception.InnerException
        }
        $reason = $messages -join ' '
    }
    if (-not $done) {
        $now = [string](Get-Service -Name ftpsvc).Status
        throw (New-CodedError -Code 'ServiceFailed' -Data @(Get-ServiceEvent -Since $since) -Message (
            "$Verb of the FTP service failed: $reason The service is now $now."))
    }
}

function Set-FtpService {
    # Gives a word for each change: startType, stopped, started, restarted.
    param([hashtable]$Service)
    $current = Get-Service -Name ftpsvc
    if ($null -ne $Service.StartType -and [string]$current.StartType -ne $Service.StartType) {
        Set-Service -Name ftpsvc -StartupType $Service.StartType
        'startType'
    }
    $isRunning = [string]$current.Status -eq 'Running'
    if ($Service.Running -eq $false -and [string]$current.Status -ne 'Stopped') {
        Invoke-ServiceChange -Verb 'Stop' -Status 'Stopped'
        'stopped'
    }
    elseif ($Service.Running -eq $true -and -not $isRunning) {
        Invoke-ServiceChange -Verb 'Start' -Status 'Running'
        'started'
    }
    elseif ($Service.Restart -and $isRunning) {
        Invoke-ServiceChange -Verb 'Restart' -Status 'Running'
        'restarted'
    }
}

function Set-ServerState {
    param([hashtable]$Order)
    $changed = Set-Configuration -Order $Order
    $commits = [int]($changed.Count -gt 0)
    if ($changed -contains 'dataChannelPorts') {
        Set-RangeMarker -Order $Order
    }
    if ($null -ne $Order.Rule) {
        $changed += @(Set-OwnRule -Order $Order)
    }
    if ($null -ne $Order.Service) {
        $changed += @(Set-FtpService -Service $Order.Service)
    }
    # An array that came whole out of a function is written as {"value":...,"Count":...} by ConvertTo-Json of 5.1.
    $words = @($changed | ForEach-Object { [string]$_ })
    return [ordered]@{ changed = $words; commits = $commits; restarted = $changed -contains 'restarted' }
}

try {
    Assert-Environment
    $order = Read-Order -Json $Json -JsonPath $JsonPath
    if (-not (Test-FtpInstalled)) {
        throw (New-CodedError -Code 'FtpFeatureMissing' -Data $InstallCommand -Message (
            "The FTP service of IIS, or its management tools, is not installed. Install it with: $InstallCommand"))
    }
    Add-Type -Path $AdministrationDll
    $answer = [ordered]@{ format = 1; ok = $true; data = Set-ServerState -Order $order }
}
catch {
    $answer = ConvertTo-ErrorAnswer -ErrorRecord $_
}
ConvertTo-AsciiJson -Value $answer
