/** Puts script and style into the page and writes a content security policy that allows these and no others. */

import { createHash } from "node:crypto";
import type { Plugin } from "vite";

const CONNECT = "https: http://127.0.0.1:* http://localhost:* 'self'";

export function oneFile(): Plugin {
  return {
    name: "billproof-one-file",
    enforce: "post",
    generateBundle(_, bundle) {
      let script = "";
      let style = "";
      for (const [name, part] of Object.entries(bundle)) {
        if (part.type === "chunk") script += part.code;
        else if (name.endsWith(".css")) style += part.source;
        else continue;
        delete bundle[name];
      }
      const page = bundle["index.html"];
      if (page?.type !== "asset") throw new Error("there is no page");
      script = script.trim().replaceAll("</script", "<\\/script").replaceAll("<!--", "<\\!--");
      style = style.trim();
      const policy = [
        "default-src 'none'",
        `script-src 'sha256-${sha256(script)}'`,
        `style-src 'sha256-${sha256(style)}'`,
        "img-src data: blob:",
        "media-src blob:",
        "worker-src blob:",
        `connect-src ${CONNECT}`,
        "base-uri 'none'",
        "form-action 'none'",
      ].join("; ");
      page.source = String(page.source)
        .replace(/\s*<script type="module"[^>]*><\/script>/, "")
        .replace(/\s*<link rel="(stylesheet|modulepreload)"[^>]*>/g, "")
        .replace(/(<meta charset="utf-8">)/, (meta) => `${meta}\n    <meta http-equiv="Content-Security-Policy" content="${policy}">`)
        .replace("</head>", () => `  <style>${style}</style>\n  </head>`)
        .replace("</body>", () => `  <script type="module">${script}</script>\n  </body>`);
    },
  };
}

const sha256 = (text: string): string => createHash("sha256").update(text).digest("base64");
