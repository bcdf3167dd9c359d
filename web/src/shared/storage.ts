// SPDX-License-Identifier: Apache-2.0
//
// What the browser keeps for us, if it does: with its storage turned off (private mode, policy) the pages still work.

type Where = 'localStorage' | 'sessionStorage'

export function remember(storage: Where, key: string, value: string | null): void {
  try {
    if (value === null) window[storage].removeItem(key)
    else window[storage].setItem(key, value)
  } catch {
    // Nothing is kept then.
  }
}

export function recall(storage: Where, key: string): string | null {
  try {
    return window[storage].getItem(key)
  } catch {
    return null
  }
}
