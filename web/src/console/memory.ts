// SPDX-License-Identifier: Apache-2.0
//
// What fills a card: packages that are stored here are as large as their load file; of others only the number is
// known. A card tells what is free, not what is used.
import type { App, Card } from './shapes'

export interface Part {
  name: string
  bytes: number
}

export interface Memory {
  known: Part[]
  unknownPackages: number
  applications: number
  /** null: the card has not told. */
  free: number | null
  transient: number | null
}

export function memoryOf(card: Pick<Card, 'registry' | 'free_memory'>, apps: App[]): Memory {
  const entries = card.registry ?? []
  const packages = entries.filter((e) => e.kind === 'package')
  const stored = new Map(apps.map((app) => [app.package, app]))
  const known = packages.flatMap((p) => {
    const app = stored.get(p.aid)
    return app ? [{ name: app.name, bytes: app.load_bytes }] : []
  })
  return {
    known,
    unknownPackages: packages.length - known.length,
    applications: entries.filter((e) => e.kind === 'application').length,
    free: card.free_memory?.nonvolatile ?? null,
    transient: card.free_memory?.transient ?? null,
  }
}
