<?php
// A client of INSi by PHP's own SoapClient: url, authority, file of the wsse:Security, birth date. Tells what it got.
[, $url, $authority, $security, $birth] = $argv;
$context = stream_context_create(['ssl' => ['cafile' => $authority]]);
$options = ['soap_version' => SOAP_1_2, 'stream_context' => $context, 'cache_wsdl' => WSDL_CACHE_NONE];
$now = gmdate('Y-m-d\TH:i:s\Z');
$bam = "<b:ContexteBAM xmlns:b='urn:siram:bam:ctxbam' Version='01_02'><b:Id>b</b:Id><b:Temps>$now</b:Temps>"
    . "<b:Emetteur>php</b:Emetteur><b:COUVERTURE/></b:ContexteBAM>";
$lps = "<l:ContexteLPS xmlns:l='urn:siram:lps:ctxlps' Version='01_00'><l:Id>l</l:Id><l:Temps>$now</l:Temps>"
    . "<l:Emetteur>php</l:Emetteur><l:LPS><l:IDAM R='4'>BIFENTE-IDAM-01</l:IDAM><l:Version>1</l:Version>"
    . "<l:Instance>i</l:Instance><l:Nom>php</l:Nom></l:LPS></l:ContexteLPS>";
$wsa = 'http://www.w3.org/2005/08/addressing';
$wsse = 'http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd';
$raw = fn(string $xml) => new SoapVar($xml, XSD_ANYXML);
try {
    $client = new SoapClient("$url?wsdl", $options);
    $client->__setSoapHeaders([
        new SoapHeader($wsa, 'MessageID', 'urn:uuid:11111111-2222-4333-8444-' . sprintf('%012d', getmypid())),
        new SoapHeader('urn:siram:bam:ctxbam', 'ContexteBAM', $raw($bam)),
        new SoapHeader('urn:siram:lps:ctxlps', 'ContexteLPS', $raw($lps)),
        new SoapHeader($wsse, 'Security', $raw(file_get_contents($security))),
    ]);
    $asked = ['NomNaissance' => 'TESTINS', 'Prenom' => ['ALICE'], 'Sexe' => 'F', 'DateNaissance' => $birth];
    $found = $client->rechercherInsAvecTraitsIdentite($asked);
    echo json_encode(['code' => $found->CR->CodeCR, 'oid' => $found->INDIVIDU->INSACTIF->OID ?? '']), "\n";
} catch (SoapFault $fault) {
    echo json_encode(['fault' => $fault->getMessage(), 'detail' => json_encode($fault->detail ?? '')]), "\n";
}
