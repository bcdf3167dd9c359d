// SPDX-License-Identifier: Apache-2.0
//
// The holder's page: what is a ticket, how far a card is, and that nothing is taken for proved that is not.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { backoff } from '../src/holder/follow'
import { answered, counted, hurdleOf, NOWHERE, over, stepStates, type Journey } from '../src/holder/journey'
import { ticketIn } from '../src/holder/ticket'

const TICKET = 'k3Jx9Qk3Jx9Qk3Jx9Qk3Jx9Qk3Jx9Qk3Jx9Qk3Jx9Q-_'

const client = (stage: string, done = 0, total = 0) => ({ stage, reader: '', card: '', done, total })
const session = (step: string, commands = 0) => ({ session: 's', step, commands })
const end = (outcome: string, reason = 'none') => ({ session: 's', outcome, reason, detail: '' })
const at = (parts: Partial<Journey>): Journey => ({ ...NOWHERE, ...parts })

for (const [hash, want] of [
  [`#${TICKET}`, TICKET],
  [`#${TICKET}.`, TICKET],
  [`#%20${TICKET}%20`, TICKET],
  [`#${TICKET})`, TICKET],
  ['', ''],
  ['#', ''],
  ['#short', ''],
  [`#${TICKET}/x`, ''],
  [`#${TICKET}<b>`, ''],
  ['#%', ''],
  [`#${'x'.repeat(129)}`, ''],
] as const)
  test(`a ticket in '${hash.slice(0, 60)}'`, () => assert.equal(ticketIn(hash), want))

// Journey, started, and the states in order, one letter each: todo, active, done, failed, doubt (?).
const LETTER = { todo: 't', active: 'a', done: 'd', failed: 'f', doubt: '?' }
for (const [name, journey, started, want] of [
  ['nothing yet', {}, false, 'tttttt'],
  ['started', {}, true, 'attttt'],
  ['the client runs', { client: client('client') }, true, 'datttt'],
  ['no reader: waits', { client: client('no-reader') }, true, 'datttt'],
  ['no card: waits', { client: client('no-card') }, true, 'ddattt'],
  ['a reader', { client: client('reader') }, true, 'ddattt'],
  ['declined', { client: client('declined') }, true, 'fttttt'],
  ['the server identifies', { session: session('identify') }, true, 'ddattt'],
  ['the server authenticates', { session: session('authenticate') }, true, 'dddatt'],
  ['the server delivers', { session: session('deliver') }, true, 'ddddat'],
  ['a client can’t claim to have authenticated', { client: client('deliver', 5, 5) }, true, 'ddattt'],
  ['nor to have settled', { client: client('settle'), session: session('authenticate') }, true, 'dddatt'],
  ['answers are on their way', { client: client('settle'), session: session('deliver') }, true, 'ddddda'],
  ['pulled', { client: client('lost'), session: session('deliver') }, true, 'ddddft'],
  ['an error', { client: client('error') }, true, 'dftttt'],
  ['pulled before the server heard of it', { client: client('lost') }, true, 'ddfttt'],
  ['confirmed', { client: client('settle'), session: session('deliver'), end: end('confirmed') }, true, 'dddddd'],
  ['confirmed, nothing was sent', { session: session('identify'), end: end('confirmed') }, true, 'dddddd'],
  ['reported is not confirmed', { session: session('deliver'), end: end('reported') }, true, 'ddddd?'],
  ['failed', { session: session('authenticate'), end: end('failed', 'wrong-key') }, true, 'dddftt'],
  ['unknown', { session: session('deliver'), end: end('unknown', 'no-answer') }, true, 'dddd?t'],
  ['the client says ended, the server nothing', { client: client('ended') }, true, 'datttt'],
] as const)
  test(`steps: ${name}`, () => {
    const states = Object.values(stepStates(at(journey), started))
    assert.equal(states.map((s) => LETTER[s]).join(''), want)
  })

test('the count is of the packet that is on its way', () => {
  assert.deepEqual(counted(NOWHERE), { done: 0, total: 0 })
  assert.deepEqual(counted(at({ session: session('deliver', 30) })), { done: 0, total: 30 })
  assert.deepEqual(counted(at({ client: client('deliver', 7, 30) })), { done: 7, total: 30 })
  assert.deepEqual(counted(at({ client: client('deliver', 70, 30) })), { done: 30, total: 30 })
  assert.deepEqual(counted(at({ client: client('settle', 7, 30) })), { done: 30, total: 30 })
  assert.deepEqual(counted(at({ client: client('authenticate', 4, 8), session: session('deliver', 30) })), { done: 0, total: 30 })
})

test('what stands in the way is of no interest after the end', () => {
  assert.equal(hurdleOf(at({ client: client('lost') })), 'lost')
  assert.equal(hurdleOf(at({ client: client('lost'), end: end('failed', 'card-pulled') })), null)
  assert.equal(hurdleOf(at({ client: client('deliver') })), null)
})

test('who waits for a card or a reader need not start again', () => {
  for (const stage of ['no-card', 'no-reader', 'deliver']) assert.equal(over(at({ client: client(stage) })), false)
  for (const stage of ['lost', 'declined', 'error']) assert.equal(over(at({ client: client(stage) })), true)
  assert.equal(over(at({ end: end('failed') })), true)
})

test('somebody has answered', () => {
  assert.equal(answered(NOWHERE), false)
  assert.equal(answered(at({ client: client('client') })), true)
  assert.equal(answered(at({ session: session('identify') })), true)
})

test('a server that is away is asked ever more rarely', () => {
  assert.deepEqual([0, 1, 2, 3, 4, 5, 100].map(backoff), [1, 2, 4, 8, 16, 30, 30])
})
