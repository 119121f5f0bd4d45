#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# Perl's Mail::DKIM.
#   mail_dkim.pl verify PORT                          file names on standard input; a line for each:
#                                                     selector=result of its signatures, by spaces
#   mail_dkim.pl sign KEY DOMAIN SELECTOR             METHOD<TAB>FILE on standard input; a line for
#                                                     each: the field, its line breaks as "\n"
use strict;
use warnings;
use Mail::DKIM::DNS;
use Mail::DKIM::Signer;
use Mail::DKIM::Verifier;
use Net::DNS::Resolver;

sub octets_of {
    my ($path) = @_;
    open my $file, '<:raw', $path or die "$path: $!";
    local $/;
    return scalar <$file> // '';
}

sub fed {
    my ($dkim, $path) = @_;
    $dkim->PRINT(octets_of($path));
    $dkim->CLOSE;
    return $dkim;
}

$| = 1;
my $order = shift @ARGV;
if ($order eq 'verify') {
    my ($port) = @ARGV;
    Mail::DKIM::DNS::resolver(Net::DNS::Resolver->new(
        nameservers => ['127.0.0.1'], port => $port, recurse => 1, udp_timeout => 3, retry => 1,
        dnsrch => 0, defnames => 0));
    while (my $path = <STDIN>) {
        chomp $path;
        my @results = eval {
            map { ($_->selector // '') . '=' . ($_->result // '') }
                fed(Mail::DKIM::Verifier->new, $path)->signatures;
        };
        print join(' ', @results), "\n";
    }
} else {
    my ($key, $domain, $selector) = @ARGV;
    while (my $line = <STDIN>) {
        chomp $line;
        my ($method, $path) = split /\t/, $line;
        my $signer = Mail::DKIM::Signer->new(
            Algorithm => 'rsa-sha256', Method => $method, Domain => $domain,
            Selector => $selector, KeyFile => $key);
        my $field = fed($signer, $path)->signature->as_string;
        $field =~ s/\r?\n/\\n/g;
        print "$field\n";
    }
}
