/** QR codes from pictures and from the camera. */

import { t } from "../i18n";
import { readQr } from "../readers/qr";
import { readSvgCode } from "../readers/svgcode";
import { h } from "./dom";

/** Pictures are looked at in these sizes, largest side in pixels: codes hide in large photos. */
const SIZES = [800, 1600, 3000];

/** The text of the code in a picture; null when none is found, or the file is no picture. */
export async function readPicture(file: Blob): Promise<string | null> {
  let picture: ImageBitmap;
  try {
    picture = await createImageBitmap(file);
  } catch {
    return null;
  }
  const largest = Math.max(picture.width, picture.height);
  for (const size of SIZES) {
    const scale = Math.min(1, size / largest);
    const found = scan(picture, Math.round(picture.width * scale), Math.round(picture.height * scale));
    if (found !== null || scale === 1) return found;
  }
  return null;
}

/** The same of a code that Billproof drew as SVG, which is read and not shown; null of any other SVG. */
export function readSvg(text: string): string | null {
  const picture = readSvgCode(text);
  return picture && readQr(picture);
}

function scan(source: CanvasImageSource, width: number, height: number): string | null {
  const canvas = h("canvas", { width, height });
  const context = canvas.getContext("2d", { willReadFrequently: true });
  if (!context || !width || !height) return null;
  context.drawImage(source, 0, 0, width, height);
  return readQr(context.getImageData(0, 0, width, height));
}

/** Shows the camera until a code is seen (its text), the reader closes it (null), or it fails (throws). */
export async function scanCamera(): Promise<string | null> {
  const stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment", width: { ideal: 1280 } } });
  const video = h("video", { playsinline: true, muted: true });
  video.srcObject = stream;
  const close = h("button", { type: "button" }, t("camera.close"));
  const dialog = h("dialog", { class: "camera", "aria-label": t("camera.title") }, h("p", {}, t("camera.title")), video, close);
  document.body.append(dialog);
  dialog.showModal();
  try {
    await video.play();
    return await new Promise((resolve) => {
      let open = true;
      const end = (text: string | null): void => {
        open = false;
        resolve(text);
      };
      dialog.addEventListener("close", () => end(null));
      close.addEventListener("click", () => dialog.close());
      const look = (): void => {
        if (!open) return;
        const found = scan(video, video.videoWidth, video.videoHeight);
        if (found) end(found);
        else setTimeout(look, 150);
      };
      look();
    });
  } finally {
    for (const track of stream.getTracks()) track.stop();
    dialog.remove();
  }
}
