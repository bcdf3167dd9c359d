// SPDX-License-Identifier: Apache-2.0
//
// Card commands and status words in words, from what the server tells of them: header, length, AID, status word. The
// names are those of the GlobalPlatform Card Specification; what they do is said in the language of the page.
import { number } from '../shared/format'
import type { Dictionary, Language } from '../shared/i18n'
import type { Command } from './shapes'

const en = {
  select: 'choose an application',
  cardManager: 'the card manager',
  initializeUpdate: (kvn: string) => `random number, keys of version ${kvn}`,
  externalAuthenticate: (level: string) => `the server proves itself, security level ${level}`,
  mutualAuthenticate: 'card and server prove themselves',
  internalAuthenticate: 'the card proves itself',
  pso: 'the card checks a certificate',
  remove: 'remove',
  block: (n: number) => `block ${n}`,
  blocks: (from: number, to: number) => `blocks ${from} to ${to}`,
  last: 'the last',
  bytes: (n: string) => `${n} bytes`,
  putKey: 'put in a key',
  setStatus: 'change a state',
  storeData: 'personal data',
  manageChannel: 'logical channel',
  getResponse: 'the rest of an answer',
  getChallenge: 'a random number',
  unknown: 'command',
  data: {
    '9F7F': 'production data (CPLC)',
    '0042': 'issuer number (IIN)',
    '0045': 'card number (CIN)',
    '0066': 'card data',
    '0067': 'card capabilities',
    '00E0': 'which keys there are',
    '00C1': 'sequence counter',
    FF21: 'free memory',
    '2F00': 'list of applications',
    BF21: 'certificate',
  } as Record<string, string>,
  status: { '80': 'the card manager', '40': 'applications', '20': 'packages', '10': 'packages and modules' } as Record<
    string,
    string
  >,
  sw: {
    '': 'nothing came back',
    '9000': 'done',
    '6200': 'done, with a remark',
    '6283': 'the application is locked',
    '6300': 'the proof is wrong',
    '6310': 'there is more',
    '6400': 'not done',
    '6581': 'memory is broken',
    '6700': 'wrong length',
    '6881': 'no logical channels',
    '6882': 'no secure messaging',
    '6982': 'not allowed yet: security status',
    '6983': 'blocked',
    '6985': 'conditions are not fulfilled',
    '6988': 'wrong MAC',
    '6999': 'can’t be selected',
    '6A80': 'wrong data',
    '6A81': 'not supported, or the card is locked',
    '6A82': 'not found',
    '6A84': 'not enough memory',
    '6A86': 'wrong parameters',
    '6A88': 'what is named is not there',
    '6D00': 'command not known',
    '6E00': 'class not known',
    '6F00': 'error without a reason',
    '9484': 'algorithm not supported',
    '9485': 'invalid key check value',
  } as Record<string, string>,
  more: 'more data follows',
  otherLength: 'another length is expected',
  counter: (n: number) => `${n} tries are left`,
  refused: 'refused',
}

const de: typeof en = {
  select: 'Anwendung wählen',
  cardManager: 'der Kartenverwalter',
  initializeUpdate: (kvn) => `Zufallszahl, Schlüssel der Version ${kvn}`,
  externalAuthenticate: (level) => `der Server weist sich aus, Sicherheitsstufe ${level}`,
  mutualAuthenticate: 'Karte und Server weisen sich aus',
  internalAuthenticate: 'die Karte weist sich aus',
  pso: 'die Karte prüft ein Zertifikat',
  remove: 'entfernen',
  block: (n) => `Block ${n}`,
  blocks: (from, to) => `Blöcke ${from} bis ${to}`,
  last: 'der letzte',
  bytes: (n) => `${n} Byte`,
  putKey: 'Schlüssel einbringen',
  setStatus: 'Zustand ändern',
  storeData: 'persönliche Daten',
  manageChannel: 'logischer Kanal',
  getResponse: 'Rest einer Antwort',
  getChallenge: 'eine Zufallszahl',
  unknown: 'Befehl',
  data: {
    '9F7F': 'Herstellungsdaten (CPLC)',
    '0042': 'Herausgebernummer (IIN)',
    '0045': 'Kartennummer (CIN)',
    '0066': 'Angaben zur Karte',
    '0067': 'Fähigkeiten der Karte',
    '00E0': 'welche Schlüssel es gibt',
    '00C1': 'Sequenzzähler',
    FF21: 'freier Speicher',
    '2F00': 'Liste der Anwendungen',
    BF21: 'Zertifikat',
  },
  status: { '80': 'der Kartenverwalter', '40': 'Anwendungen', '20': 'Pakete', '10': 'Pakete und Module' },
  sw: {
    '': 'nichts kam zurück',
    '9000': 'erledigt',
    '6200': 'erledigt, mit einer Bemerkung',
    '6283': 'die Anwendung ist gesperrt',
    '6300': 'der Nachweis ist falsch',
    '6310': 'es gibt noch mehr',
    '6400': 'nicht ausgeführt',
    '6581': 'Speicher ist defekt',
    '6700': 'falsche Länge',
    '6881': 'keine logischen Kanäle',
    '6882': 'keine gesicherten Nachrichten',
    '6982': 'noch nicht erlaubt: Sicherheitszustand',
    '6983': 'gesperrt',
    '6985': 'Bedingungen sind nicht erfüllt',
    '6988': 'falscher MAC',
    '6999': 'kann nicht gewählt werden',
    '6A80': 'falsche Daten',
    '6A81': 'nicht möglich, oder die Karte ist gesperrt',
    '6A82': 'nicht gefunden',
    '6A84': 'nicht genug Speicher',
    '6A86': 'falsche Parameter',
    '6A88': 'was genannt ist, gibt es nicht',
    '6D00': 'Befehl nicht bekannt',
    '6E00': 'Klasse nicht bekannt',
    '6F00': 'Fehler ohne Grund',
    '9484': 'Algorithmus nicht möglich',
    '9485': 'falscher Prüfwert des Schlüssels',
  },
  more: 'es folgen weitere Daten',
  otherLength: 'eine andere Länge wird erwartet',
  counter: (n) => `${n} Versuche bleiben`,
  refused: 'abgelehnt',
}

export const apduWords: Dictionary<typeof en> = { en, de }
type Words = typeof en

interface Header {
  ins: string
  p1: string
  p2: string
}

// INSTALL, P1 (GPCS 2.3.1, table 11-42), the more particular first.
const INSTALL: [number, string][] = [
  [0x40, 'for registry update'],
  [0x20, 'for personalization'],
  [0x10, 'for extradition'],
  [0x0c, 'for install and make selectable'],
  [0x08, 'for make selectable'],
  [0x04, 'for install'],
  [0x02, 'for load'],
]

function install(p1: string): string {
  const bits = Number.parseInt(p1, 16)
  const found = INSTALL.find(([mask]) => (bits & mask) === mask)
  return `INSTALL [${found ? found[1] : p1}]`
}

// MUTUAL AUTHENTICATE has the instruction of EXTERNAL AUTHENTICATE and carries a public key, which is longer than any
// cryptogram.
const CRYPTOGRAM_MAX = 32

// size: the command's data, as people write it.
type Row = (h: Header, c: Command, t: Words, size: string) => [name: string, what: string]

const ROWS: Record<string, Row> = {
  A4: (_, c, t) => ['SELECT', c.aid || t.cardManager],
  '50': (h, _, t) => ['INITIALIZE UPDATE', t.initializeUpdate(h.p1)],
  '82': (h, c, t) =>
    c.bytes > CRYPTOGRAM_MAX
      ? ['MUTUAL AUTHENTICATE', t.mutualAuthenticate]
      : ['EXTERNAL AUTHENTICATE', t.externalAuthenticate(h.p1)],
  '88': (_, __, t) => ['INTERNAL AUTHENTICATE', t.internalAuthenticate],
  '2A': (_, __, t) => ['PERFORM SECURITY OPERATION', t.pso],
  E4: (_, c, t) => ['DELETE', c.aid || t.remove],
  E6: (h, c) => [install(h.p1), c.aid],
  E8: (h, _, t, size) => ['LOAD', `${t.block(blockOf(h))}${lastBlock(h) ? ` (${t.last})` : ''}, ${size}`],
  CA: (h, _, t) => ['GET DATA', t.data[h.p1 + h.p2] ?? h.p1 + h.p2],
  CB: (h, _, t) => ['GET DATA', t.data[h.p1 + h.p2] ?? h.p1 + h.p2],
  F2: (h, _, t) => ['GET STATUS', t.status[h.p1] ?? h.p1],
  E2: (h, _, t) => ['STORE DATA', `${t.storeData}, ${t.block(blockOf(h))}`],
  D8: (_, __, t) => ['PUT KEY', t.putKey],
  F0: (_, __, t) => ['SET STATUS', t.setStatus],
  '70': (_, __, t) => ['MANAGE CHANNEL', t.manageChannel],
  C0: (_, __, t) => ['GET RESPONSE', t.getResponse],
  '84': (_, __, t) => ['GET CHALLENGE', t.getChallenge],
}

function headerOf(text: string): Header {
  const [, ins, p1, p2] = text.toUpperCase().match(/../g) ?? []
  return { ins: ins ?? '', p1: p1 ?? '', p2: p2 ?? '' }
}

// P2 counts from 0; people count from 1.
function blockOf(h: Header): number {
  return Number.parseInt(h.p2, 16) + 1
}

function lastBlock(h: Header): boolean {
  return (Number.parseInt(h.p1, 16) & 0x80) !== 0
}

export interface Said {
  name: string
  what: string
}

export function commandInWords(c: Command, language: Language): Said {
  const h = headerOf(c.header)
  const t = apduWords[language]
  const row = ROWS[h.ins]
  if (row === undefined) return { name: c.header, what: t.unknown }
  const [name, what] = row(h, c, t, t.bytes(number(c.bytes, language)))
  return { name, what }
}

export function statusInWords(sw: string, language: Language): string {
  const t = apduWords[language]
  const known = t.sw[sw]
  if (known !== undefined) return known
  if (sw.startsWith('61')) return t.more
  if (sw.startsWith('6C')) return t.otherLength
  if (sw.startsWith('63C')) return t.counter(Number.parseInt(sw.slice(3), 16))
  return t.refused
}

/** What does not stop a client (docs/protocol.md): 9000 and 61xx to 63xx, but 62F1. */
export function statusIsGood(sw: string): boolean {
  return sw === '9000' || (/^6[123]/.test(sw) && sw !== '62F1' && sw !== '6300')
}

export interface Exchange extends Said {
  bytes: number
  sw: string
}

function isLoad(c: Command | undefined): c is Command {
  return c !== undefined && headerOf(c.header).ins === 'E8'
}

function loads(run: Command[], language: Language): Exchange {
  const t = apduWords[language]
  const [first, last] = [run[0] as Command, run[run.length - 1] as Command]
  const total = run.reduce((sum, c) => sum + c.bytes, 0)
  const from = blockOf(headerOf(first.header))
  // P2 begins again at 0 after 255 blocks.
  const what = `${t.blocks(from, from + run.length - 1)}, ${t.bytes(number(total, language))}`
  return { name: 'LOAD', what, bytes: total, sw: last.sw }
}

/** The commands of a turn; LOADs that the card took one after the other are one line. */
export function exchanges(commands: Command[], language: Language): Exchange[] {
  const out: Exchange[] = []
  for (let i = 0; i < commands.length; ) {
    let end = i
    while (isLoad(commands[end]) && commands[end]?.sw === '9000') end++
    const command = commands[i] as Command
    if (end - i > 1) out.push(loads(commands.slice(i, end), language))
    else out.push({ ...commandInWords(command, language), bytes: command.bytes, sw: command.sw })
    i = Math.max(end, i + 1)
  }
  return out
}
