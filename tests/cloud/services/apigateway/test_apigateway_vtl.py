"""The Velocity engine: what each construct renders as."""

from __future__ import annotations

import json
from typing import Any

import pytest

from pileus.cloud.kernel import NotEmulated
from pileus.cloud.services.apigateway.vtl import Refused, TemplateSyntaxError, parse, render

VARIABLES: dict[str, Any] = {
    "s": "a-b-c",
    "n": 7,
    "map": {"a": "1", "b": {"c": [1, 2]}},
    "list": ["x", "y"],
    "yes": True,
    "no": False,
    "empty": "",
    "context": {"stage": "dev"},
}


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("{statusCode:200}", "{statusCode:200}"),
        ("$s ${s}x $!s $!{s}", "a-b-c a-b-cx a-b-c a-b-c"),
        ("$gone ${gone} $!gone $!{gone}.", "$gone ${gone}  ."),
        ("$gone.foo.bar() $map.gone", "$gone.foo.bar() $map.gone"),
        ('"$context.authorizer.principalId"', '""'),
        ("$context.stage", "dev"),
        ("$1.50 a@b.com $ # #x", "$1.50 a@b.com $ # #x"),
        ("\\$s \\#if", "$s #if"),
        ("$map.b.c $map.b.c[1] $map.get('a') $map['a']", "[1,2] 2 1 1"),
        ("$map.b", "{c=[1,2]}"),
        ("a ## comment\nb", "a b"),
        ("a#* block\n *#b", "ab"),
        ("#[[$s #if]]#", "$s #if"),
        ("#set($x = 1)\n$x", "1"),
        ("a  #set($x = 1)  \nb", "ab"),
        ("#set($x = 1 + 2 * 3 - 4)$x", "3"),
        ("#set($x = (1 + 2) * 3)$x", "9"),
        ("#set($x = -7 / 2)$x #set($y = -7 % 2)$y", "-3-1"),
        ("#set($x = 'a' + 1)$x", "a1"),
        ('#set($x = "<$s>")$x', "<a-b-c>"),
        ("#set($x = '<$s>')$x", "<$s>"),
        ('#set($x = "say ""hi""")$x', 'say "hi"'),
        ("#set($x = [1, 'b', $n])$x $x.size()", "[1, b, 7] 3"),
        ("#set($x = {'k': 1, 'l': [2]})$x $x.l.get(0)", "{k=1, l=[2]} 2"),
        ("#set($x = $gone)#set($x = 1)#set($x = $gone)$x", "1"),
        ("#set($map.z = 'q')$map.z", "q"),
        ("#if($yes)a#else b#end", "a"),
        ("#if($no)a#elseif($n == 7)b#else c#end", "b"),
        ("#if($no)a#{else}c#end", "c"),
        ("#if($empty)true#end", "true"),
        ("#if($gone)a#{else}b#end", "b"),
        ("#if(!$gone && $n > 6 || $no)a#end", "a"),
        ("#if($n >= 7 and not $no)a#end", "a"),
        ('#if($s != "")a#end', "a"),
        ("#if($n ne 8 && $n lt 8 && $n le 7 && $n gt 6 && $n ge 7 && $n eq 7)a#end", "a"),
        ("#if($gone == $nothing)a#end", "a"),
        ("#foreach($i in [1..3])$i#if($foreach.hasNext),#end#end", "1,2,3"),
        ("#foreach($i in [3..1])$foreach.index/$foreach.count/$velocityCount #end", "0/1/1 1/2/2 2/3/3 "),
        ("#foreach($k in $map.keySet())$k#end", "ab"),
        ("#foreach($e in $map.entrySet())$e.key:$e.getKey();#end", "a:a;b:b;"),
        ("#foreach($i in [1..9])#if($i == 3)#break#end$i#end!", "12!"),
        ("#foreach($i in $gone)x#end-", "-"),
        ("a#stop b", "a"),
        ("#define($d)<$x>#end#set($x = 1)$d#set($x = 2)$d", "<1><2>"),
        ("$s.length() $s.toUpperCase() $s.substring(2) $s.substring(0, 1)", "5 A-B-C b-c a"),
        ("$s.replaceAll('(\\w)-', '$1+') $s.replace('-', '.')", "a+b+c a.b.c"),
        ("$s.split('-').size() $s.split('-')[1] $s.indexOf('b') $s.contains('z')", "3 b 2 false"),
        ("$s.matches('a.*') $s.startsWith('b') $s.equals('a-b-c') $s.isEmpty()", "true false true false"),
        (
            "$list.size() $list.contains('x') $list.isEmpty() $list.add('z') $list",
            '2 true false true ["x","y","z"]',
        ),
        ("$map.containsKey('a') $map.size() $map.put('q', 1) $map.q", "true 2 $map.put('q', 1) 1"),
        ("$n.toString() $yes.equals($yes)", "7 true"),
        ("#if($n == 7)\nline\n#end\nnext", "line\nnext"),
        ("#macro(twice $a $b)\n<$a$b$!c>#end#twice('x' $n)#twice($s, 2)", "<x7><a-b-c2>"),
        ("#macro(one $a)[$a]#end#set($a = 'kept')#one('x')$a #one()", "[x]kept [$a]"),
        ("#macro(down $n)$n#if($n > 0)#set($m = $n - 1)#down($m)#end#end#down(2)", "210"),
        ("#later('x')#macro(later $a)$a#end", "#later('x')"),
        ("#set($i = 0)$i.parseInt('12') $s.valueOf($n) $i.valueOf('x')", "12 7 $i.valueOf('x')"),
        ("$s.lastIndexOf('-') $s.compareToIgnoreCase('A-B-C') $s.toCharArray().get(0)", "3 0 a"),
        ("#set($l = ['a', 'b'])$l.removeAll(['a']) $l $l.containsAll(['b'])", "true [b] true"),
    ],
)
def test_renders(source: str, expected: str) -> None:
    variables = json.loads(json.dumps(VARIABLES))
    assert render(parse(source), variables, silent=frozenset({"context"})) == expected


@pytest.mark.parametrize(
    "source", ["#if($x)a", "#end", "#set($x 1)", "#foreach($x in)a#end", "#set($x = 'a)"]
)
def test_syntax_errors(source: str) -> None:
    with pytest.raises(TemplateSyntaxError):
        parse(source)


@pytest.mark.parametrize("source", ["#parse('x')", "#include('x')", "#evaluate('x')"])
def test_refused_directives(source: str) -> None:
    with pytest.raises(NotEmulated, match="mapping templates with #"):
        parse(source)


def test_unknown_method_is_refused() -> None:
    with pytest.raises(NotEmulated, match=r"String\.chars\(\)"):
        render(parse("$s.chars()"), {"s": "x"})


def test_endless_growth_ends() -> None:
    source = "#foreach($a in [1..1000])#foreach($b in [1..1000])x#end#end"
    with pytest.raises(Refused):
        render(parse(source), {})


def test_a_syntax_error_names_its_line() -> None:
    with pytest.raises(TemplateSyntaxError, match="line 3"):
        parse("a\nb\n#set($x 1)")
