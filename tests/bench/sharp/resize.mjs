// FILE FOLDER: four sizes as JPEG and as WebP, the way sharp's documentation shows it.
import sharp from 'sharp';

const [file, folder] = process.argv.slice(2);
const before = process.cpuUsage();
for (const size of [2048, 1024, 512, 256]) {
  for (const format of ['jpeg', 'webp']) {
    await sharp(file)
      .rotate()
      .resize(size, size, { fit: 'inside', withoutEnlargement: true })
      [format]({ quality: 80 })
      .toFile(`${folder}/${format}-${size}`);
  }
}
const { user, system } = process.cpuUsage(before);
console.log(JSON.stringify({ cpuSeconds: (user + system) / 1e6 }));
