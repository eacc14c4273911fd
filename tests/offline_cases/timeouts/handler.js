exports.slow = () => new Promise(() => setTimeout(() => {}, 5000))
exports.left = async (event, context) => {
  const left = context.getRemainingTimeInMillis()
  return { statusCode: 200, body: String(left > 1000 && left <= 3000) }
}
