// SPDX-License-Identifier: Apache-2.0
import { describe, expect, test } from 'vitest';
import { formatList } from '../../../src/cli/output/format.ts';
import { compileTemplate } from '../../../src/cli/output/template/index.ts';

const data = {
  ID: 'abc',
  Names: ['a', 'b'],
  Config: { Env: ['X=1', 'Y=2'], Labels: { 'a.b': 'c', z: '1' }, Cmd: null, Tty: false },
  Size: 12,
  Ports: [{ HostPort: '8080' }],
  ByName: { '80/tcp': [{ Host: { Port: 80 } }] },
  Label: (key: string) => ({ 'a.b': 'c', z: '1' })[key] ?? '',
};

describe('a template', () => {
  // What Go's text/template with Docker's functions prints for the same value.
  test.each([
    ['{{.ID}}', 'abc'],
    ['plain', 'plain'],
    ['{{ .ID }}-{{.Size}}', 'abc-12'],
    ['{{.Config.Env}}', '[X=1 Y=2]'],
    ['{{json .Config.Env}}', '["X=1","Y=2"]'],
    ['{{json .Config.Cmd}}', 'null'],
    ['{{.Config.Labels}}', 'map[a.b:c z:1]'],
    ['{{index .Config.Labels "a.b"}}', 'c'],
    ['{{index .Config.Env 1}}', 'Y=2'],
    ['{{range .Names}}<{{.}}>{{end}}', '<a><b>'],
    ['{{range $i, $n := .Names}}{{$i}}={{$n}};{{end}}', '0=a;1=b;'],
    ['{{range $k, $v := .Config.Labels}}{{$k}}:{{$v}} {{end}}', 'a.b:c z:1 '],
    ['{{range .Config.Cmd}}x{{else}}none{{end}}', 'none'],
    ['{{if .Config.Tty}}t{{else if eq .Size 12}}twelve{{else}}f{{end}}', 'twelve'],
    ['{{if and .ID (not .Config.Tty)}}yes{{end}}', 'yes'],
    ['{{with .Config}}{{.Tty}}{{end}}', 'false'],
    ['{{range .Names}}{{$.ID}}{{end}}', 'abcabc'],
    ['{{.ID | upper | json}}', '"ABC"'],
    ['{{join .Names ","}}', 'a,b'],
    ['{{join (split "x/y" "/") "+"}}', 'x+y'],
    ['{{truncate .ID 2}}', 'ab'],
    ['{{len .Names}}', '2'],
    ['{{$x := .ID}}{{$x}}{{$x}}', 'abcabc'],
    ['a  {{- " b " -}}  c', 'a b c'],
    ['{{"}}"}}', '}}'],
    ['{{`raw "text"`}}', 'raw "text"'],
    ['{{.ID}}\\t{{.Size}}', 'abc\t12'],
    ['{{.Config.Missing}}', '<no value>'],
    ['{{println .ID}}', 'abc\n'],
    ['{{lower "AB"}}{{title "ab cd"}}', 'abAb Cd'],
    ['{{(index .Ports 0).HostPort}}', '8080'],
    ['{{(index (index .ByName "80/tcp") 0).Host.Port}}', '80'],
    ['{{with (index .Ports 0)}}{{.HostPort}}{{end}}', '8080'],
    ['{{slice .ID 1}}{{slice .ID 0 2}}{{slice .Names 1}}', 'bcab[b]'],
    ['a{{/* says nothing */}}b {{- /* nor this */ -}} c', 'abc'],
    [
      '{{printf "%s=%d|%5s|%-5s|%05d|%.2f|%q|%v|%%|%x" .ID .Size .ID .ID .Size 1.5 .ID .Names 255}}',
      'abc=12|  abc|abc  |00012|1.50|"abc"|[a b]|%|ff',
    ],
    ['{{.ID | printf "%.2s"}}', 'ab'],
    ['{{printf "%d" .ID}}{{printf "%s"}}{{printf "x" 1}}', '%!d(abc)%!s(MISSING)x%!(EXTRA 1)'],
    ['{{.Label "a.b"}}{{.Label "none"}}', 'c'],
    ['{{json (.Label "z")}}', '"1"'],
  ])('%s', (source, expected) => {
    expect(compileTemplate(source)(data)).toBe(expected);
  });

  test.each([
    ['{{.Nope}}', 'no field "Nope"'],
    ['{{', 'not closed'],
    ['{{if .ID}}', 'without {{end}}'],
    ['{{end}}', 'closes nothing'],
    ['{{nofunc .ID}}', 'no function "nofunc"'],
    ['{{constructor}}', 'no function'],
    ['{{.ID .Size}}', 'only a function'],
    ['{{(.ID}}', 'not closed'],
    ['{{}}', 'empty'],
    ['{{.ID | }}', 'empty'],
    ['{{$nope}}', 'no variable'],
    ['{{?}}', 'cannot read'],
    ['{{.Label}}', 'Label takes 1 argument'],
    ['{{slice .ID 4}}', 'outside of 0 to 3'],
    ['{{slice .Size 0}}', 'is not a list'],
    ['{{printf "%w" .ID}}', 'does not know %w'],
    ['{{printf "%9999999999s" .ID}}', 'too much'],
    ['{{(.ID}}.x', 'not closed'],
  ])('%s is an error of the user', (source, message) => {
    const run = () => compileTemplate(source)(data);
    expect(run).toThrow(expect.objectContaining({ code: 'USAGE' }));
    expect(run).toThrow(message);
  });

  test('reaches nothing but the value: no prototype, no function', () => {
    expect(compileTemplate('{{.Config.constructor}}')(data)).toBe('<no value>');
    expect(compileTemplate('{{index .Config "__proto__"}}')(data)).toBe('<no value>');
  });
});

describe('a list', () => {
  const rows = [
    { ID: '1', Name: 'short' },
    { ID: '22', Name: 'a longer \x1b[31mname' },
  ];
  const columns = { ID: (row: { ID: string }) => row.ID, 'THE NAME': 'Name' } as const;

  test('is a table with a heading, and cannot steer the terminal', () => {
    expect(formatList(rows, columns, undefined)).toBe(
      'ID        THE NAME\n1         short\n22        a longer \ufffd[31mname\n',
    );
  });

  test('is one JSON object per line', () => {
    expect(formatList(rows.slice(0, 1), columns, 'json')).toBe('{"ID":"1","Name":"short"}\n');
  });

  test('is a line per template, or a table of the template', () => {
    expect(formatList(rows.slice(0, 1), columns, '{{.Name}}!')).toBe('short!\n');
    expect(formatList(rows.slice(0, 1), columns, 'table {{.Name}}\\t{{.ID}}')).toBe(
      'THE NAME   ID\nshort      1\n',
    );
  });
});
