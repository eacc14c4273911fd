const said = await Promise.resolve('awaited')

export async function hello() { return { statusCode: 200, body: `${said} ${import.meta.url.split('/').pop()}` } }
