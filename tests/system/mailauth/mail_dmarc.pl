#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# Mail::DMARC over cases: `mail_dmarc.pl PORT LIST`, each line
# {"author", "spf": {"result", "domain"}, "signatures": [{"result", "domain"}]} gives
# {"result", "disposition", "spf", "dkim", "reason"}.
use strict;
use warnings;
use JSON::PP;
use Mail::DMARC::PurePerl;
use Net::DNS::Resolver;

my ($port, $list) = @ARGV;
$| = 1;
my $resolver = Net::DNS::Resolver->new(
    nameservers => ['127.0.0.1'], port => $port, recurse => 1, udp_timeout => 3, retry => 1,
    dnsrch => 0, defnames => 0);

while (my $line = <STDIN>) {
    my $case = decode_json($line);
    my $answer = eval {
        my $dmarc = Mail::DMARC::PurePerl->new;
        $dmarc->config->{dns}{public_suffix_list} = $list;
        $dmarc->set_resolver($resolver);
        $dmarc->source_ip('192.0.2.1');
        $dmarc->envelope_from($case->{spf}{domain});
        $dmarc->header_from($case->{author});
        $dmarc->dkim([map { {domain => $_->{domain}, selector => 's', result => $_->{result}} }
            @{$case->{signatures}}]) if @{$case->{signatures}};
        $dmarc->spf([{domain => $case->{spf}{domain}, scope => 'mfrom',
            result => $case->{spf}{result}}]);
        my $result = $dmarc->validate;
        my $reasons = $result->reason // [];
        {result => $result->result, disposition => $result->disposition, spf => $result->spf,
         dkim => $result->dkim, reason => join('; ', map { $_->comment // $_->type } @$reasons)};
    };
    print encode_json($answer // {result => 'died', reason => "$@"}), "\n";
}
