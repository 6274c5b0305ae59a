/** A multipart body, and what is to be read in it. */
export interface FormCase {
  readonly what: string;
  readonly contentType: string;
  readonly body: Buffer;
  /** The model and whether a stream is asked for, or what the refusal says. */
  readonly expected: { readonly model: string; readonly stream: boolean } | RegExp;
}

const BOUNDARY = 'X-7f';
const TYPE = `multipart/form-data; boundary=${BOUNDARY}`;
const FILE = '\0\x01\xff RIFF\r\n--X-7\r\n\r--X-7f\n--X-7f\r\n data';

/** Names and values of a Content-Disposition, as they are written. */
const part = (disposition: string, content: string, more: readonly string[] = []): string =>
  [`Content-Disposition: form-data; ${disposition}`, ...more, '', content].join('\r\n');
const field = (name: string, content: string): string => part(`name="${name}"`, content);
const file = part('name="file"; filename="a.wav"', FILE, ['Content-Type: audio/wav']);
const model = field('model', 'whisper');

/** The parts of a form, with the delimiters. */
const form = (parts: readonly string[], boundary = BOUNDARY): string =>
  [...parts.map((one) => `--${boundary}\r\n${one}\r\n`), `--${boundary}--\r\n`].join('');

const found = { model: 'whisper', stream: false };
type Row = readonly [what: string, body: string, expected: FormCase['expected'], contentType?: string];

const good: readonly Row[] = [
  ['a field and a file', form([model, file]), found],
  ['the field after the file', form([file, model]), found],
  ['the field between two others', form([field('prompt', 'x'), model, field('language', 'en')]), found],
  ['no line end after the last delimiter', form([model, file]).slice(0, -2), found],
  ['stream: true', form([model, field('stream', 'true')]), { model: 'whisper', stream: true }],
  ['stream before model', form([field('stream', 'true'), model]), { model: 'whisper', stream: true }],
  ['stream: false', form([model, field('stream', 'false')]), found],
  ['stream: True', form([model, field('stream', 'True')]), found],
  ['stream: 1', form([model, field('stream', '1')]), found],
  ['an empty stream', form([model, field('stream', '')]), found],
  ['a name without quotes', form([part('name=model', 'whisper')]), found],
  ['the file name before the name', form([model, part('filename="a"; name="file"', 'x')]), found],
  ['no blank after the semicolon', form([part('name="model"', 'whisper'), part('name="f";filename="a"', 'x')]), found],
  ['a header in another case', form([model.replace('Content-Disposition', 'content-DISPOSITION')]), found],
  ['form-data in another case', form([model.replace('form-data', 'Form-Data')]), found],
  ['no blank after the colon', form([model.replace(': ', ':')]), found],
  ['another header', form([part('name="model"', 'whisper', ['X-Other: 1', 'Content-Type: text/plain'])]), found],
  [
    'a field that is there twice',
    form([model, field('timestamp_granularities[]', 'a'), field('timestamp_granularities[]', 'b')]),
    found,
  ],
  ['an empty field', form([field('prompt', ''), model]), found],
  ['an empty file', form([part('name="file"; filename=""', ''), model]), found],
  [
    'a file name with semicolons and equals signs',
    form([part('name="file"; filename="a; name=model"', 'x'), model]),
    found,
  ],
  ['a name that only begins as model does', form([field('models', 'b'), field('mode', 'c'), model]), found],
  ['a name in another case', form([field('Model', 'b'), model]), found],
  ['a percent sign in a name', form([field('mod%65l', 'b'), model]), found],
  ['a name that is empty', form([field('', 'b'), model]), found],
  ['a model with line ends', form([field('model', 'a\r\nb')]), { model: 'a\r\nb', stream: false }],
  ['a model of UTF-8', form([field('model', Buffer.from('ä😀').toString('latin1'))]), { model: 'ä😀', stream: false }],
  ['a model that looks like a header', form([field('model', 'name="x"')]), { model: 'name="x"', stream: false }],
  ['a model of 1024 bytes', form([field('model', 'x'.repeat(1024))]), { model: 'x'.repeat(1024), stream: false }],
  ['32 parts', form([...Array.from({ length: 31 }, () => field('a', '')), model]), found],
  ['a boundary of one character', form([model], 'a'), found, 'multipart/form-data; boundary=a'],
  [
    'a boundary of 70 characters',
    form([model], 'b'.repeat(70)),
    found,
    `multipart/form-data; boundary=${'b'.repeat(70)}`,
  ],
  ['a boundary in quotes', form([model], "a'()+_,-./:=? z"), found, `multipart/form-data; boundary="a'()+_,-./:=? z"`],
  ['no blank in the Content-Type', form([model]), found, `multipart/form-data;boundary=${BOUNDARY}`],
  [
    'dashes in the boundary',
    form([model], '----WebKitFormBoundary7'),
    found,
    'multipart/form-data; boundary=----WebKitFormBoundary7',
  ],
];

const bad: readonly Row[] = [
  ['two models', form([model, field('model', 'b')]), /"model" more than once/],
  ['two equal models', form([model, file, model]), /"model" more than once/],
  ['two streams', form([model, field('stream', 'true'), field('stream', 'false')]), /"stream" more than once/],
  ['no model', form([file]), /no field "model"/],
  ['an empty model', form([field('model', '')]), /"model" of the form is empty/],
  ['a model that is a file', form([part('name="model"; filename="a"', 'b')]), /has a file as "model"/],
  ['a model that is a file without a name', form([part('name="model"; filename=""', 'b')]), /has a file as "model"/],
  ['a stream that is a file', form([model, part('name="stream"; filename="a"', 'true')]), /has a file as "stream"/],
  ['a model of 1025 bytes', form([field('model', 'x'.repeat(1025))]), /more than 1024 bytes/],
  ['a model without an end', `--${BOUNDARY}\r\n${field('model', 'x'.repeat(5000))}`, /more than 1024 bytes/],
  ['a model that is no UTF-8', form([field('model', '\xff')]), /not valid UTF-8/],
  ['33 parts', form([...Array.from({ length: 32 }, () => field('a', '')), model]), /more than 32 parts/],
  ['nothing', '', /ends before its last delimiter/],
  ['only the last delimiter', `--${BOUNDARY}--\r\n`, /does not begin with its boundary/],
  ['a preamble', `hello\r\n${form([model])}`, /does not begin with its boundary/],
  ['a line end before the first boundary', `\r\n${form([model])}`, /does not begin with its boundary/],
  ['another form before', form([field('model', 'b')], 'Y') + form([model]), /does not begin with its boundary/],
  ['an epilogue', `${form([model])}bye`, /goes on after/],
  ['another form after', form([model]) + form([field('model', 'b')]), /goes on after/],
  ['two line ends at the end', `${form([model])}\r\n`, /goes on after/],
  ['a line feed alone at the end', `${form([model]).slice(0, -2)}\n`, /goes on after/],
  ['no last delimiter', form([model]).replace(`--${BOUNDARY}--\r\n`, ''), /ends before its last delimiter/],
  ['a last delimiter with one dash', form([model]).slice(0, -3), /ends before its last delimiter/],
  [
    'the end in a head',
    `--${BOUNDARY}\r\nContent-Disposition: form-data; name="model"`,
    /ends before its last delimiter/,
  ],
  ['lines that end in line feeds', form([model]).replaceAll('\r\n', '\n'), /does not begin with its boundary/],
  [
    'heads whose lines end in line feeds',
    form([model.replace('\r\n\r\n', '\n\n')]),
    /is no header|more than 4096|ends before/,
  ],
  ['a line feed in a header', form([model.replace('form-data', 'form-data\n')]), /is no header/],
  ['a carriage return in a header', form([model.replace('form-data', 'form-data\r')]), /is no header/],
  ['a folded header', form([model.replace('; name', ';\r\n name')]), /not form-data|is no header/],
  ['a header that begins with a blank', form([part('name="model"', 'b', [' X: 1'])]), /is no header/],
  ['a blank before the colon', form([model.replace('Disposition:', 'Disposition :')]), /is no header/],
  ['a line without a colon', form([part('name="model"', 'b', ['nonsense'])]), /is no header/],
  ['a NUL in a header', form([part('name="model"', 'b', ['X: \0'])]), /is no header/],
  ['a tab in a disposition', form([part('\tname="model"', 'b')]), /is no header/],
  [
    'blanks after the boundary',
    form([model]).replace(`--${BOUNDARY}\r\n`, `--${BOUNDARY} \r\n`),
    /does not begin with/,
  ],
  [
    'blanks after a later boundary',
    form([file, model]).replace(
      `\r\n--${BOUNDARY}\r\nContent-Disposition: form-data; name="model"`,
      `\r\n--${BOUNDARY} \r\nContent-Disposition: form-data; name="model"`,
    ),
    /something else than a line end/,
  ],
  [
    'a longer boundary in a file',
    form([part('name="file"; filename="a"', `a\r\n--${BOUNDARY}9\r\nb`), model]),
    /something else than a line end/,
  ],
  ['a part without a disposition', form(['Content-Type: text/plain\r\n\r\nb', model]), /without Content-Disposition/],
  ['a part without a head', form(['\r\nb', model]), /without Content-Disposition/],
  [
    'two dispositions',
    form([part('name="a"', 'b', ['Content-Disposition: form-data; name="model"'])]),
    /more than one Content-Disposition/,
  ],
  ['a disposition of another kind', form([model.replace('form-data', 'attachment')]), /not form-data/],
  ['a disposition without a name', form([part('filename="a"', 'b'), model]), /not form-data/],
  ['two names', form([part('name="a"; name="model"', 'b')]), /not form-data/],
  ['two file names', form([part('filename="a"; name="x"; filename="b"', 'c'), model]), /not form-data/],
  ['name*', form([part("name*=UTF-8''model", 'b')]), /not form-data/],
  ['name and name*', form([part(`name="a"; name*=UTF-8''model`, 'b')]), /not form-data/],
  ['filename*', form([part(`name="model"; filename*=UTF-8''a`, 'b')]), /not form-data/],
  ['another parameter', form([part('name="model"; size=1', 'b')]), /not form-data/],
  ['a parameter in another case', form([part('Name="model"', 'b')]), /not form-data/],
  ['an escaped quote in a name', form([part('name="mod\\"el"', 'b'), model]), /not form-data/],
  ['an escaped letter in a name', form([part('name="mo\\del"', 'b')]), /not form-data/],
  ['a backslash in a file name', form([part('name="file"; filename="C:\\a"', 'b'), model]), /not form-data/],
  ['a quote that is not closed', form([part('name="model', 'b')]), /not form-data/],
  ['text after a quote', form([part('name="model"x', 'b')]), /not form-data/],
  ['a semicolon at the end', form([part('name="model";', 'b')]), /not form-data/],
  ['two semicolons', form([part('name="a";; filename="b"', 'c'), model]), /not form-data/],
  ['blanks around an equals sign', form([part('name = "model"', 'b')]), /not form-data/],
  ['a blank before the first semicolon', form([model.replace('form-data;', 'form-data ;')]), /not form-data/],
  [
    'a long header',
    form([part('name="file"; filename="' + 'a'.repeat(4096) + '"', 'b'), model]),
    /more than 4096 bytes/,
  ],
  ['a header without an end', `--${BOUNDARY}\r\nX: ${'a'.repeat(9000)}`, /more than 4096 bytes/],
  [
    '17 headers',
    form([
      part(
        'name="model"',
        'b',
        Array.from({ length: 16 }, () => 'X: 1'),
      ),
    ]),
    /more than 16 headers/,
  ],
];

const ODD_TYPES: readonly (readonly [what: string, contentType: string])[] = [
  ['no boundary', 'multipart/form-data'],
  ['an empty boundary', 'multipart/form-data; boundary='],
  ['an empty quoted boundary', 'multipart/form-data; boundary=""'],
  ['a boundary of 71 characters', `multipart/form-data; boundary=${'b'.repeat(71)}`],
  ['a boundary that ends with a blank', 'multipart/form-data; boundary="a "'],
  ['a boundary with a character that needs quotes', 'multipart/form-data; boundary=a=b'],
  ['a boundary with a character that no boundary has', 'multipart/form-data; boundary="a;b"'],
  ['an escape in a boundary', 'multipart/form-data; boundary="a\\b"'],
  ['two boundaries', `multipart/form-data; boundary=a; boundary=${BOUNDARY}`],
  ['another parameter', `multipart/form-data; charset=utf-8; boundary=${BOUNDARY}`],
  ['another parameter after it', `multipart/form-data; boundary=${BOUNDARY}; charset=utf-8`],
  ['a boundary in another case', `multipart/form-data; Boundary=${BOUNDARY}`],
  ['blanks around the equals sign', `multipart/form-data; boundary = ${BOUNDARY}`],
];

const caseOf = ([what, body, expected, contentType = TYPE]: Row): FormCase => ({
  what,
  contentType,
  body: Buffer.from(body, 'latin1'),
  expected,
});

/** Forms as clients send them, and as those do who want two programs to read two things. */
export const formCases: readonly FormCase[] = [
  ...[...good, ...bad].map(caseOf),
  ...ODD_TYPES.map(([what, contentType]) => caseOf([what, form([model]), /Content-Type/, contentType])),
];
