# Inventaire d'un poste Windows pour bifente diagnose, en lecture seule.
# Rien n'est modifie, rien n'est envoye a une carte, aucun droit d'administrateur n'est demande.
# Usage : powershell -ExecutionPolicy Bypass -File inventaire-windows.ps1 [DOSSIER]
param([string]$Dossier = ".\inventaire-bifente")
$ErrorActionPreference = "SilentlyContinue"
$ecrire = New-Object System.Text.UTF8Encoding($false)
$null = [System.IO.Directory]::CreateDirectory($Dossier)
$Dossier = (Get-Item -LiteralPath $Dossier).FullName

$details = New-Object System.Collections.Generic.List[string]
$groupes = [ordered]@{}
$nonvus = [ordered]@{}
$fichiers = [ordered]@{}

function Quoted([string]$Valeur) {
    $propre = $Valeur -replace '[\x00-\x1f"\\]', ' '
    if ($propre.Length -gt 200) { $propre = $propre.Substring(0, 200) }
    return '"' + $propre + '"'
}
function Tell([string]$Groupe, [string]$Cle, [string]$Valeur) {
    if (-not $groupes.Contains($Groupe)) { $groupes[$Groupe] = [ordered]@{} }
    $groupes[$Groupe][$Cle] = $Valeur
    $nonvus.Remove($Cle)
}
function Miss([string]$Cle, [string]$Raison) { $nonvus[$Cle] = $Raison }
function Detail([string]$Texte) { $details.Add(($Texte -replace '[\x00-\x1f]', ' ')) }
function VersionIn([string]$Texte) {
    if ($Texte -match '\d+(\.\d+){0,7}') { return $Matches[0] }
    return ""
}

$cles = "os-version browser browser-version browser-trust local-network-access atsam galss srvsvcnam cryptolib " +
    "dmpconnect-js fsv mica io-comm galss-service srvsvcnam-service smart-card-service io-comm-state mica-bits " +
    "mica-state connector-service cryptolib-cache software-preferences galss-ini sesam-ini tables-x86 tables-x64 " +
    "cps cps-family cps-state cps-association holder-code vitale vitale-state reader reader-firmware reader-mode " +
    "reader-link reader-holder network clock port-holder antivirus service-dmp service-frontal service-adri portal-asks"
foreach ($cle in $cles.Split(" ")) { Miss $cle "non relevé par le script" }
Miss "software" "à demander à l'utilisateur"
Miss "card-access" "à demander à l'utilisateur"

# Le système. Windows 11 se dit encore 10.0 : la construction les distingue.
Tell "system" "os" "windows"
$systeme = Get-CimInstance -ClassName Win32_OperatingSystem
if ($systeme) {
    Detail "Système : $($systeme.Caption) $($systeme.Version)"
    $noms = @{ "6.1" = "7"; "6.2" = "8"; "6.3" = "8.1"; "10.0" = "10" }
    $deux = ($systeme.Version -split '\.')[0..1] -join "."
    $nom = $noms[$deux]
    if ([int]$systeme.BuildNumber -ge 22000) { $nom = "11" }
    if ($nom) { Tell "system" "os-version" $nom }
}
if ($env:SESSIONNAME -like "RDP*") { Tell "software" "session" "remote" }
elseif ($env:SESSIONNAME -eq "Console") { Tell "software" "session" "local" }
else { Miss "session" "Windows ne dit pas le nom de la session" }

# Ce qui est installé, d'après le registre, en 64 et en 32 bits.
$racines = "HKLM:\SOFTWARE\Microsoft\Windows\CurrentVersion\Uninstall\*",
    "HKLM:\SOFTWARE\WOW6432Node\Microsoft\Windows\CurrentVersion\Uninstall\*"
$installes = @(Get-ItemProperty -Path $racines | Where-Object { $_.DisplayName })
$composants = [ordered]@{
    "galss" = "GALSS"; "cryptolib" = "Cryptolib"; "srvsvcnam" = "SrvSvCnam|Composant CNAM|AmeliPro"
    "dmpconnect-js" = "DmpConnect"; "mica" = "\bMICA\b"; "atsam" = "ATSAM"
}
foreach ($cle in $composants.Keys) {
    $trouves = @($installes | Where-Object { $_.DisplayName -match $composants[$cle] })
    foreach ($un in $trouves) { Detail "Installé : $($un.DisplayName) $($un.DisplayVersion)" }
    $versions = @($trouves | ForEach-Object { VersionIn $_.DisplayVersion } | Where-Object { $_ } | Select-Object -Unique)
    if ($versions.Count -eq 1) { Tell "components" $cle $versions[0] }
    elseif ($versions.Count -gt 1) { Miss $cle "plusieurs versions installées : $($versions -join ', ')" }
    else { Miss $cle "absent de la liste des programmes installés : absent, ou installé autrement" }
}
$fsv = @(Get-ChildItem -Path "HKLM:\SOFTWARE\GIE SESAM VITALE\FSV", "HKLM:\SOFTWARE\WOW6432Node\GIE SESAM VITALE\FSV" |
    ForEach-Object { VersionIn $_.PSChildName } | Where-Object { $_ } | Select-Object -Unique)
if ($fsv.Count -eq 1) { Tell "components" "fsv" $fsv[0] }
elseif ($fsv.Count -gt 1) { Miss "fsv" "plusieurs versions installées : $($fsv -join ', ')" }
else { Miss "fsv" "aucune version dans le registre : absente, ou installée autrement" }

# Les navigateurs.
$navigateurs = [ordered]@{ "firefox" = "firefox.exe"; "chrome" = "chrome.exe"; "edge" = "msedge.exe" }
foreach ($nom in $navigateurs.Keys) {
    $chemin = (Get-ItemProperty -Path "HKLM:\SOFTWARE\Microsoft\Windows\CurrentVersion\App Paths\$($navigateurs[$nom])").'(default)'
    if ($chemin) { Detail "Navigateur : $nom $((Get-Item -LiteralPath $chemin.Trim('"')).VersionInfo.ProductVersion)" }
}
Miss "browser" "lequel sert est à demander"
Miss "browser-version" "lequel sert est à demander"

# Services et programmes. Le service de carte à puce démarre à la demande : arrêté ne veut pas dire en panne.
$puce = Get-Service -Name SCardSvr
if ($puce -and $puce.Status -eq "Running") { Tell "states" "smart-card-service" "running" }
elseif ($puce -and $puce.StartType -eq "Disabled") { Tell "states" "smart-card-service" "stopped" }
elseif ($puce) { Miss "smart-card-service" "arrêté, mais il démarre à la demande" }
$propagation = Get-Service -Name CertPropSvc
if ($propagation) { Miss "reader-holder" "CertPropSvc : $($propagation.Status) ; s'il tient la carte ne se voit pas d'ici" }
$programmes = @(Get-Process | Where-Object { $_.ProcessName -match "galsv|srvsvcnam|amelipro|dmpconnect|jfse|juxta|clmlive" })
foreach ($un in $programmes) { Detail "Programme : $($un.ProcessName) ($($un.Id))" }
if ($programmes | Where-Object { $_.ProcessName -match "^galsv" }) { Tell "states" "galss-service" "running" }
if ($programmes | Where-Object { $_.ProcessName -match "srvsvcnam|amelipro" }) { Tell "states" "srvsvcnam-service" "running" }
if ($programmes | Where-Object { $_.ProcessName -match "dmpconnect" }) { Tell "states" "connector-service" "running" }

# Qui tient les ports locaux des composants.
$ports = @(Get-NetTCPConnection -State Listen | Where-Object { @(1234, 1922, 1943, 9982, 9983, 9984, 9985, 40500) -contains $_.LocalPort })
foreach ($un in $ports) {
    $qui = (Get-Process -Id $un.OwningProcess).ProcessName
    Detail "Port $($un.LocalPort) : tenu par $qui"
    if (@(1922, 1943) -contains $un.LocalPort -and $qui -and $qui -notmatch "srvsvcnam|amelipro|cnam") {
        Tell "network" "port-holder" "other-software"
    }
}

# Lecteurs branchés, sans parler à une carte.
foreach ($un in @(Get-CimInstance -ClassName Win32_PnPEntity | Where-Object { $_.PNPClass -eq "SmartCardReader" })) {
    Detail "Lecteur : $($un.Name) ($($un.Status))"
}

# Les fichiers de configuration, copiés à côté.
$lieux = [ordered]@{
    "galss.ini" = @("$env:windir\galss.ini")
    "sesam.ini" = @("$env:windir\sesam.ini") + @(Get-ChildItem -Path "$env:ProgramData\santesocial\fsv\*\conf\sesam.ini" | ForEach-Object { $_.FullName })
}
foreach ($nom in $lieux.Keys) {
    $la = @($lieux[$nom] | Where-Object { Test-Path -LiteralPath $_ -PathType Leaf })
    foreach ($un in $la) { Detail "Fichier : $un" }
    $fait = $nom.Replace(".ini", "-ini")
    if ($la.Count -eq 0) { Miss $fait "aucun fichier aux emplacements connus"; continue }
    $donnees = [System.IO.File]::ReadAllBytes($la[0])
    if ($null -eq $donnees -or $donnees.Length -gt 262144) { Miss $fait "$($la[0]) : illisible ou trop grand"; continue }
    [System.IO.File]::WriteAllBytes((Join-Path $Dossier $nom), $donnees)
    $fichiers[$nom] = $nom
    Miss $fait "jugé sur le fichier même"
}

$lignes = New-Object System.Collections.Generic.List[string]
$lignes.Add("# Inventaire d'un poste Windows, en lecture seule : bifente diagnose CE-FICHIER l'explique.")
foreach ($un in $details) { $lignes.Add("#   $un") }
$lignes.Add("poste: ce-pc")
foreach ($groupe in $groupes.Keys) {
    $lignes.Add("${groupe}:")
    foreach ($cle in $groupes[$groupe].Keys) { $lignes.Add("  ${cle}: " + (Quoted $groupes[$groupe][$cle])) }
}
if ($fichiers.Count) {
    $lignes.Add("files:")
    foreach ($nom in $fichiers.Keys) { $lignes.Add("  ${nom}: $nom") }
}
$lignes.Add("unseen:")
foreach ($cle in $nonvus.Keys) { $lignes.Add("  ${cle}: " + (Quoted $nonvus[$cle])) }
$sortie = Join-Path $Dossier "poste.yaml"
[System.IO.File]::WriteAllText($sortie, ($lignes -join "`r`n") + "`r`n", $ecrire)
Write-Output $sortie
