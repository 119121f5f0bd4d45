#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# Mail::SPF over cases: `mail_spf.pl PORT`, each line ip<TAB>mail_from<TAB>helo gives a result word.
use strict;
use warnings;
use Mail::SPF;
use Net::DNS::Resolver;

my ($port) = @ARGV;
$| = 1;
my $resolver = Net::DNS::Resolver->new(
    nameservers => ['127.0.0.1'], port => $port, recurse => 1, udp_timeout => 3, retry => 1,
    dnsrch => 0, defnames => 0);
my $server = Mail::SPF::Server->new(
    dns_resolver => $resolver, hostname => 'mx.example.com', default_authority_explanation => '');

while (my $line = <STDIN>) {
    chomp $line;
    my ($ip, $mail_from, $helo) = split /\t/, $line, -1;
    my $word = eval {
        my $request = Mail::SPF::Request->new(
            versions => [1], scope => $mail_from eq '' ? 'helo' : 'mfrom',
            identity => $mail_from eq '' ? $helo : $mail_from, ip_address => $ip,
            helo_identity => $helo);
        $server->process($request)->code;
    };
    print defined $word ? $word : 'refused', "\n";
}
