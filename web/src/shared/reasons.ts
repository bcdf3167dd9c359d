// SPDX-License-Identifier: Apache-2.0
//
// Why a session ended, for the card holder: what happened, and what to do. The words are those of
// lib/session/outcome.h; a test compares.
import type { Dictionary } from './i18n'

export interface Reason {
  what: string
  todo: string
}

const en = {
  none: { what: 'Everything was done.', todo: 'Nothing needs to be done.' },
  'already-there': { what: 'The card was already as it should be.', todo: 'Nothing needs to be done.' },
  'wrong-key': {
    what: 'The card has another key than the server knows. Nothing was changed, and the card was set aside to protect it.',
    todo: 'Do not try again. Tell the issuer, who can correct the key and release the card.',
  },
  'no-key': {
    what: 'The server has no key for this card.',
    todo: 'Tell the issuer. Trying again does not help until the key is there.',
  },
  'unknown-card': {
    what: 'The server does not know this kind of card.',
    todo: 'Check that the right card is in the reader, or tell the issuer which card it is.',
  },
  'wrong-card': {
    what: 'This is not the card that the order is for.',
    todo: 'Put the right card into the reader and start again.',
  },
  downgrade: {
    what: 'The card answered with a weaker or another protection than is known of it.',
    todo: 'Try with another computer or reader. If it happens again, tell the issuer.',
  },
  policy: {
    what: 'The card needs something weak that this server does not allow.',
    todo: 'Tell the issuer. The card may be too old for this server.',
  },
  'not-approved': {
    what: 'Nobody has approved the application as it is now.',
    todo: 'Tell the issuer. Trying again does not help until it is approved.',
  },
  'wrong-ticket': {
    what: 'The server does not know this invitation.',
    todo: 'Copy the whole link again, or ask for a new one.',
  },
  'expired-ticket': { what: 'This invitation has expired.', todo: 'Ask for a new one.' },
  'ticket-used': {
    what: 'This invitation has been used already.',
    todo: 'If the card is not yet as it should be, ask for a new invitation.',
  },
  cancelled: { what: 'This invitation was cancelled.', todo: 'Ask the issuer if you did not expect this.' },
  'session-over': { what: 'This attempt is over.', todo: 'Start again.' },
  'card-blocked': {
    what: 'The card is set aside, to protect it.',
    todo: 'Do not try again. The issuer can look into it and release the card.',
  },
  'card-pulled': {
    what: 'The card was removed, or its contact was lost.',
    todo: 'Put the card back and start again. Leave it in until the end.',
  },
  'missing-dependency': {
    what: 'The card lacks something that the application needs.',
    todo: 'Tell the issuer. It has to be loaded first.',
  },
  'not-enough-memory': {
    what: 'The card has not enough memory left.',
    todo: 'Have an application removed that is no longer needed.',
  },
  'bad-cap': {
    what: 'The application can’t be sent to a card as it is.',
    todo: 'Tell the issuer. The application has to be corrected.',
  },
  refused: { what: 'The card refused a command.', todo: 'Tell the issuer what is said here.' },
  'forged-answer': {
    what: 'An answer was changed on its way from the card.',
    todo: 'Try with another computer or reader. The server will look at the card again.',
  },
  'no-answer': {
    what: 'No answer of the card came back.',
    todo: 'Start again. The server looks at the card first.',
  },
  'bad-answer': {
    what: 'What the program on this computer sent could not be understood.',
    todo: 'Install the current version of the program.',
  },
  'server-full': {
    what: 'The server has no space left. Nothing was sent to the card.',
    todo: 'Try again later, or tell the issuer.',
  },
  'server-busy': { what: 'The server can’t go on at the moment.', todo: 'Try again in a minute.' },
  'server-fault': { what: 'The server made a mistake.', todo: 'Tell the issuer.' },
  'not-allowed': { what: 'This is not allowed.', todo: 'Tell the issuer.' },
}

export type ReasonWord = keyof typeof en

const de: Record<ReasonWord, Reason> = {
  none: { what: 'Alles wurde erledigt.', todo: 'Es ist nichts zu tun.' },
  'already-there': { what: 'Die Karte war schon so, wie sie sein soll.', todo: 'Es ist nichts zu tun.' },
  'wrong-key': {
    what: 'Die Karte hat einen anderen Schlüssel, als der Server kennt. Nichts wurde geändert, und die Karte wurde zu ihrem Schutz gesperrt.',
    todo: 'Versuchen Sie es nicht noch einmal. Sagen Sie dem Herausgeber Bescheid: Er kann den Schlüssel berichtigen und die Karte freigeben.',
  },
  'no-key': {
    what: 'Der Server hat keinen Schlüssel für diese Karte.',
    todo: 'Sagen Sie dem Herausgeber Bescheid. Ein neuer Versuch hilft erst, wenn der Schlüssel da ist.',
  },
  'unknown-card': {
    what: 'Der Server kennt diese Art Karte nicht.',
    todo: 'Prüfen Sie, ob die richtige Karte im Leser steckt, oder sagen Sie dem Herausgeber, welche Karte es ist.',
  },
  'wrong-card': {
    what: 'Für diese Karte ist der Auftrag nicht bestimmt.',
    todo: 'Stecken Sie die richtige Karte in den Leser und starten Sie noch einmal.',
  },
  downgrade: {
    what: 'Die Karte hat mit einem schwächeren oder anderen Schutz geantwortet, als von ihr bekannt ist.',
    todo: 'Versuchen Sie es mit einem anderen Computer oder Leser. Passiert es wieder, sagen Sie dem Herausgeber Bescheid.',
  },
  policy: {
    what: 'Die Karte braucht etwas Schwaches, das dieser Server nicht zulässt.',
    todo: 'Sagen Sie dem Herausgeber Bescheid. Vielleicht ist die Karte zu alt für diesen Server.',
  },
  'not-approved': {
    what: 'Die Anwendung ist so, wie sie jetzt ist, von niemandem freigegeben.',
    todo: 'Sagen Sie dem Herausgeber Bescheid. Ein neuer Versuch hilft erst, wenn sie freigegeben ist.',
  },
  'wrong-ticket': {
    what: 'Der Server kennt diese Einladung nicht.',
    todo: 'Kopieren Sie den ganzen Link noch einmal, oder bitten Sie um einen neuen.',
  },
  'expired-ticket': { what: 'Diese Einladung ist abgelaufen.', todo: 'Bitten Sie um eine neue.' },
  'ticket-used': {
    what: 'Diese Einladung wurde schon benutzt.',
    todo: 'Ist die Karte noch nicht so, wie sie sein soll, bitten Sie um eine neue Einladung.',
  },
  cancelled: {
    what: 'Diese Einladung wurde zurückgezogen.',
    todo: 'Fragen Sie den Herausgeber, wenn Sie das nicht erwartet haben.',
  },
  'session-over': { what: 'Dieser Versuch ist vorbei.', todo: 'Starten Sie noch einmal.' },
  'card-blocked': {
    what: 'Die Karte ist zu ihrem Schutz gesperrt.',
    todo: 'Versuchen Sie es nicht noch einmal. Der Herausgeber kann sie prüfen und freigeben.',
  },
  'card-pulled': {
    what: 'Die Karte wurde herausgezogen, oder der Kontakt ging verloren.',
    todo: 'Stecken Sie die Karte wieder ein und starten Sie noch einmal. Lassen Sie sie bis zum Ende stecken.',
  },
  'missing-dependency': {
    what: 'Der Karte fehlt etwas, das die Anwendung braucht.',
    todo: 'Sagen Sie dem Herausgeber Bescheid. Es muss zuerst geladen werden.',
  },
  'not-enough-memory': {
    what: 'Die Karte hat nicht mehr genug Speicher.',
    todo: 'Lassen Sie eine Anwendung entfernen, die nicht mehr gebraucht wird.',
  },
  'bad-cap': {
    what: 'Die Anwendung kann so nicht auf eine Karte gebracht werden.',
    todo: 'Sagen Sie dem Herausgeber Bescheid. Die Anwendung muss berichtigt werden.',
  },
  refused: {
    what: 'Die Karte hat einen Befehl abgelehnt.',
    todo: 'Sagen Sie dem Herausgeber, was hier steht.',
  },
  'forged-answer': {
    what: 'Eine Antwort der Karte wurde unterwegs verändert.',
    todo: 'Versuchen Sie es mit einem anderen Computer oder Leser. Der Server sieht sich die Karte dann noch einmal an.',
  },
  'no-answer': {
    what: 'Es kam keine Antwort der Karte zurück.',
    todo: 'Starten Sie noch einmal. Der Server sieht sich zuerst die Karte an.',
  },
  'bad-answer': {
    what: 'Was das Programm auf diesem Computer geschickt hat, war nicht zu verstehen.',
    todo: 'Installieren Sie die aktuelle Version des Programms.',
  },
  'server-full': {
    what: 'Der Server hat keinen Platz mehr. Zur Karte wurde nichts geschickt.',
    todo: 'Versuchen Sie es später noch einmal, oder sagen Sie dem Herausgeber Bescheid.',
  },
  'server-busy': {
    what: 'Der Server kann gerade nicht weitermachen.',
    todo: 'Versuchen Sie es in einer Minute noch einmal.',
  },
  'server-fault': { what: 'Der Server hat einen Fehler gemacht.', todo: 'Sagen Sie dem Herausgeber Bescheid.' },
  'not-allowed': { what: 'Das ist nicht erlaubt.', todo: 'Sagen Sie dem Herausgeber Bescheid.' },
}

export const reasons: Dictionary<Record<ReasonWord, Reason>> = { en, de }

/** A word that this page does not know (a newer server) is a refusal whose detail says the rest. */
export function reasonOf(words: Record<ReasonWord, Reason>, word: string): Reason {
  return words[word as ReasonWord] ?? words.refused
}
