import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'

/** The status page, and the policy that lets a browser run what is in it and nothing else. */
export interface StatusPage {
  readonly html: string
  readonly contentSecurityPolicy: string
}

let page: StatusPage | null = null

/** Reads the page once. Its script and style are allowed by their hashes: what anyone adds to the page does not run. */
export function statusPage(): StatusPage {
  page ??= makePage(readFileSync(new URL('status-page.html', import.meta.url), 'utf8'))
  return page
}

function makePage(html: string): StatusPage {
  const hashes = (element: 'script' | 'style'): string =>
    [...html.matchAll(new RegExp(`<${element}>([\\s\\S]*?)</${element}>`, 'g'))]
      .map(
        (match) =>
          `'sha256-${createHash('sha256')
            .update(match[1] ?? '')
            .digest('base64')}'`,
      )
      .join(' ')
  const contentSecurityPolicy = [
    "default-src 'none'",
    `script-src ${hashes('script')}`,
    `style-src ${hashes('style')}`,
    "connect-src 'self'",
    'img-src data:',
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; ')
  return { html, contentSecurityPolicy }
}
