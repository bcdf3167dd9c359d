// SPDX-License-Identifier: Apache-2.0
//
// Every sentence of the holder's page, but for the reasons of an ended session (shared/reasons.ts).
import type { Dictionary } from '../shared/i18n'
import type { Trouble } from './agent'
import type { Hurdle, Step, StepState } from './journey'
import type { Purpose } from './server'

interface Advice {
  what: string
  todo: string
}

interface Words {
  /** Headings, by purpose; title is '' when the order names no application. */
  heading: Record<Purpose, (title: string) => string>
  lookedAt: string
  loading: string
  from: string
  card: string
  anyCard: string
  onlyCard: (number: string) => string
  until: string
  before: string
  start: string
  again: string
  nextCard: string
  startHint: string
  waiting: string
  running: string
  stepsHeading: string
  steps: Record<Step, string>
  removes: string
  inspects: string
  states: Record<StepState, string>
  count: (done: number, total: number) => string
  percent: (percent: number) => string
  hurdles: Record<Hurdle, Advice>
  outcomes: Record<'confirmed' | 'reported' | 'failed' | 'unknown', Advice>
  removedConfirmed: string
  inspectedConfirmed: string
  detail: string
  call: (phone: string) => string
  help: string
  helpPage: string
  away: string
  notOpening: string
  nothing: string
  command: string
  commandLabel: string
  download: string
  installHint: string
  noPackage: string
  agentAsk: string
  agentAskHint: string
  agentDenied: string
  agentFound: string
  agentPairing: string
  agentTroubles: Record<Trouble, string>
  refusedHeading: string
  catalogue: string
  catalogueIntro: string
  catalogueEmpty: string
  noTicket: string
}

const en: Words = {
  heading: {
    install: (title) => `Put ${title} onto your card`,
    remove: (title) => `Remove ${title} from your card`,
    inspect: () => 'Have your card looked at',
  },
  lookedAt: 'The server asks the card what is on it. Nothing on the card is changed.',
  loading: 'One moment: asking the server…',
  from: 'From',
  card: 'Card',
  anyCard: 'the card that you were given for this',
  onlyCard: (number) => `only card ${number}`,
  until: 'Valid until',
  before: 'Connect a card reader with your card in it. Leave the card in until the end.',
  start: 'Start',
  again: 'Try again',
  nextCard: 'Next card',
  startHint: 'Your browser asks whether it may open Cardferry. Then Cardferry asks you once more.',
  waiting: 'Waiting for the program on this computer…',
  running: 'It is running. Leave the card in the reader.',
  stepsHeading: 'What happens',
  steps: {
    client: 'Program on this computer found',
    reader: 'Card reader found',
    card: 'Card recognised',
    authenticate: 'Card and server have proved themselves to each other',
    deliver: 'Put onto the card',
    verify: 'Confirmed by the card',
  },
  removes: 'Removed from the card',
  inspects: 'Card looked at',
  states: {
    todo: 'not yet',
    active: 'under way',
    done: 'done',
    failed: 'failed',
    doubt: 'not proved',
  },
  count: (done, total) => `${done} of ${total}`,
  percent: (percent) => `${percent} percent`,
  hurdles: {
    declined: {
      what: 'You said no in the window of Cardferry. Nothing was done.',
      todo: 'To do it after all, press “Try again”.',
    },
    'no-reader': {
      what: 'No card reader was found.',
      todo: 'Connect a card reader. It goes on by itself.',
    },
    'no-card': {
      what: 'There is no card in the reader.',
      todo: 'Put your card into the reader, chip first. It goes on by itself.',
    },
    lost: {
      what: 'The card was removed, or its contact was lost.',
      todo: 'Put the card back and press “Try again”. Leave it in until the end.',
    },
    error: {
      what: 'The program on this computer could not go on.',
      todo: 'Its window says why. Then press “Try again”.',
    },
  },
  outcomes: {
    confirmed: {
      what: 'Done: it is on your card.',
      todo: 'The card itself has proved it. You may take it out of the reader.',
    },
    reported: {
      what: 'Done, as far as this computer says.',
      todo: 'This kind of card cannot prove it. Try the card where you want to use it; if it does not work, tell the issuer.',
    },
    failed: { what: 'It did not work.', todo: '' },
    unknown: {
      what: 'It is not known whether it worked.',
      todo: 'An answer of the card was lost. Your card may have it already or not; starting again finds out and does no harm.',
    },
  },
  removedConfirmed: 'Done: it is no longer on your card.',
  inspectedConfirmed: 'Done: your card was looked at.',
  detail: 'For the issuer:',
  call: (phone) => `Call ${phone}`,
  help: 'Help',
  helpPage: 'Help page',
  away: 'The server does not answer at the moment. This page keeps trying.',
  notOpening: 'It does not open',
  nothing: 'Nothing has opened so far.',
  command: 'If Cardferry is installed on this computer, run this in a terminal:',
  commandLabel: 'the command',
  download: 'Download Cardferry',
  installHint:
    'If it is not installed: download it and open the file with the software installation of your system. Then come back to this page and press Start again.',
  noPackage: 'If it is not installed, ask the issuer how to get it.',
  agentAsk: 'Use the card service of this computer',
  agentAskHint: 'The browser asks whether this page may speak with it.',
  agentDenied:
    'The browser does not let this page speak with the card service of this computer. To allow it, open the settings for this page beside the address and allow “Apps on device” or “Local network access”. Start works without it.',
  agentFound: 'The card service of this computer is ready: Start begins at once.',
  agentPairing: 'The card service asks you whether this page may use it. Please answer in its window.',
  agentTroubles: {
    busy: 'The card service is busy with another card. Wait until it is finished, then press Start again.',
    'same-card': 'This card has been served already. Take it out, put the next one in, and press Start again.',
    declined: 'This page may not use the card service, because you said no in its window. Press Start to be asked again.',
    'nobody-to-ask': 'The card service has no way to ask you whether this page may use it. Ask whoever looks after this computer.',
    'too-many': 'That was too often in a short time. Wait a minute, then press Start again.',
    gone: 'The card service of this computer does not answer any more. Press Start to do it without.',
    other: 'The card service of this computer could not start. Press Start to try again.',
  },
  refusedHeading: 'This does not work',
  catalogue: 'What is offered',
  catalogueIntro: 'Choose what you want on your card.',
  catalogueEmpty: 'Nothing is offered at the moment.',
  noTicket: 'To put something onto your card, open the link of your invitation.',
}

const de: Words = {
  heading: {
    install: (title) => `${title} auf Ihre Karte bringen`,
    remove: (title) => `${title} von Ihrer Karte entfernen`,
    inspect: () => 'Ihre Karte ansehen lassen',
  },
  lookedAt: 'Der Server fragt die Karte, was auf ihr ist. Auf der Karte wird nichts geändert.',
  loading: 'Einen Moment: Der Server wird gefragt …',
  from: 'Von',
  card: 'Karte',
  anyCard: 'die Karte, die Sie dafür bekommen haben',
  onlyCard: (number) => `nur Karte ${number}`,
  until: 'Gültig bis',
  before: 'Schließen Sie einen Kartenleser an und stecken Sie Ihre Karte hinein. Lassen Sie sie bis zum Ende stecken.',
  start: 'Starten',
  again: 'Noch einmal versuchen',
  nextCard: 'Nächste Karte',
  startHint: 'Ihr Browser fragt, ob er Cardferry öffnen darf. Danach fragt Cardferry Sie noch einmal.',
  waiting: 'Warten auf das Programm auf diesem Computer …',
  running: 'Es läuft. Lassen Sie die Karte im Leser.',
  stepsHeading: 'Was geschieht',
  steps: {
    client: 'Programm auf diesem Computer gefunden',
    reader: 'Kartenleser gefunden',
    card: 'Karte erkannt',
    authenticate: 'Karte und Server haben sich einander ausgewiesen',
    deliver: 'Auf die Karte gebracht',
    verify: 'Von der Karte bestätigt',
  },
  removes: 'Von der Karte entfernt',
  inspects: 'Karte angesehen',
  states: {
    todo: 'noch nicht',
    active: 'läuft',
    done: 'erledigt',
    failed: 'fehlgeschlagen',
    doubt: 'nicht bewiesen',
  },
  count: (done, total) => `${done} von ${total}`,
  percent: (percent) => `${percent} Prozent`,
  hurdles: {
    declined: {
      what: 'Sie haben im Fenster von Cardferry Nein gesagt. Es wurde nichts getan.',
      todo: 'Wenn Sie es doch wollen, drücken Sie „Noch einmal versuchen“.',
    },
    'no-reader': {
      what: 'Es wurde kein Kartenleser gefunden.',
      todo: 'Schließen Sie einen Kartenleser an. Dann geht es von selbst weiter.',
    },
    'no-card': {
      what: 'Im Leser steckt keine Karte.',
      todo: 'Stecken Sie Ihre Karte mit dem Chip voran in den Leser. Dann geht es von selbst weiter.',
    },
    lost: {
      what: 'Die Karte wurde herausgezogen, oder der Kontakt ging verloren.',
      todo: 'Stecken Sie die Karte wieder ein und drücken Sie „Noch einmal versuchen“. Lassen Sie sie bis zum Ende stecken.',
    },
    error: {
      what: 'Das Programm auf diesem Computer konnte nicht weitermachen.',
      todo: 'Sein Fenster sagt, warum. Drücken Sie danach „Noch einmal versuchen“.',
    },
  },
  outcomes: {
    confirmed: {
      what: 'Fertig: Es ist auf Ihrer Karte.',
      todo: 'Die Karte selbst hat es bewiesen. Sie dürfen sie aus dem Leser nehmen.',
    },
    reported: {
      what: 'Fertig, soweit dieser Computer sagt.',
      todo: 'Diese Art Karte kann es nicht beweisen. Probieren Sie die Karte dort aus, wo Sie sie brauchen; geht es nicht, sagen Sie dem Herausgeber Bescheid.',
    },
    failed: { what: 'Es hat nicht geklappt.', todo: '' },
    unknown: {
      what: 'Es ist nicht bekannt, ob es geklappt hat.',
      todo: 'Eine Antwort der Karte ging verloren. Vielleicht ist es schon auf der Karte, vielleicht nicht; ein neuer Start findet es heraus und schadet nicht.',
    },
  },
  removedConfirmed: 'Fertig: Es ist nicht mehr auf Ihrer Karte.',
  inspectedConfirmed: 'Fertig: Ihre Karte wurde angesehen.',
  detail: 'Für den Herausgeber:',
  call: (phone) => `${phone} anrufen`,
  help: 'Hilfe',
  helpPage: 'Hilfeseite',
  away: 'Der Server antwortet gerade nicht. Diese Seite versucht es weiter.',
  notOpening: 'Es öffnet sich nicht',
  nothing: 'Bisher hat sich nichts geöffnet.',
  command: 'Wenn Cardferry auf diesem Computer installiert ist, geben Sie dies in ein Terminal ein:',
  commandLabel: 'den Befehl',
  download: 'Cardferry herunterladen',
  installHint:
    'Ist es nicht installiert: Laden Sie es herunter und öffnen Sie die Datei mit der Softwareinstallation Ihres Systems. Kommen Sie dann auf diese Seite zurück und drücken Sie noch einmal Starten.',
  noPackage: 'Ist es nicht installiert, fragen Sie den Herausgeber, wie Sie es bekommen.',
  agentAsk: 'Kartendienst dieses Computers benutzen',
  agentAskHint: 'Der Browser fragt, ob diese Seite mit ihm sprechen darf.',
  agentDenied:
    'Der Browser lässt diese Seite nicht mit dem Kartendienst dieses Computers sprechen. Um es zu erlauben, öffnen Sie neben der Adresse die Einstellungen dieser Seite und erlauben „Apps auf dem Gerät“ oder „Zugriff auf das lokale Netzwerk“. Starten geht auch ohne.',
  agentFound: 'Der Kartendienst dieses Computers ist bereit: Starten beginnt sofort.',
  agentPairing: 'Der Kartendienst fragt Sie, ob diese Seite ihn benutzen darf. Bitte antworten Sie in seinem Fenster.',
  agentTroubles: {
    busy: 'Der Kartendienst arbeitet gerade an einer anderen Karte. Warten Sie, bis er fertig ist, und drücken Sie noch einmal Starten.',
    'same-card': 'Diese Karte war schon dran. Nehmen Sie sie heraus, stecken Sie die nächste ein und drücken Sie noch einmal Starten.',
    declined: 'Diese Seite darf den Kartendienst nicht benutzen, weil Sie in seinem Fenster Nein gesagt haben. Drücken Sie Starten, um noch einmal gefragt zu werden.',
    'nobody-to-ask': 'Der Kartendienst kann Sie nicht fragen, ob diese Seite ihn benutzen darf. Fragen Sie, wer diesen Computer betreut.',
    'too-many': 'Das war zu oft in kurzer Zeit. Warten Sie eine Minute und drücken Sie dann noch einmal Starten.',
    gone: 'Der Kartendienst dieses Computers antwortet nicht mehr. Drücken Sie Starten, dann geht es ohne ihn.',
    other: 'Der Kartendienst dieses Computers konnte nicht beginnen. Drücken Sie Starten, um es noch einmal zu versuchen.',
  },
  refusedHeading: 'So geht es nicht',
  catalogue: 'Was angeboten wird',
  catalogueIntro: 'Wählen Sie, was Sie auf Ihrer Karte haben möchten.',
  catalogueEmpty: 'Zurzeit wird nichts angeboten.',
  noTicket: 'Um etwas auf Ihre Karte zu bringen, öffnen Sie den Link Ihrer Einladung.',
}

export const words: Dictionary<Words> = { en, de }
export type HolderWords = Words
